package worker_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

const counter = `let n = 0; export const add = () => ++n; export const never = () => new Promise(() => {});`

// suspend asks for an image, and returns what came through the pipe.
func (h *host) suspend(kind mp.ImageKind) (m wire.Suspended, image []byte, err error) {
	h.t.Helper()
	ours, theirs, err := os.Pipe()
	if err != nil {
		h.t.Fatal(err)
	}
	defer ours.Close()
	read := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(ours)
		read <- b
	}()
	err = h.request(context.Background(), wire.MethodSuspend, &wire.Suspend{Kind: kind}, &m, theirs)
	theirs.Close()
	return m, <-read, err
}

// bootWith boots the program with an image.
func (h *host) bootWith(app string, image []byte) wire.Booted {
	h.t.Helper()
	h.waitSealed()
	var pkg bytes.Buffer
	if err := archive.Write(&pkg, map[string]archive.File{"app.js": {Content: []byte(app)}}); err != nil {
		h.t.Fatal(err)
	}
	p, i := memfd(h.t, pkg.Bytes()), memfd(h.t, image)
	defer p.Close()
	defer i.Close()
	m := &wire.Boot{AppID: "com.example.test", Entry: "app.js", UnixNano: time.Now().UnixNano(),
		Heap: 24 << 20, TurnMillis: 2000, ResultBytes: wire.MaxResult, LogRate: 200, IPCRate: 1 << 20, Image: true}
	rand.Read(m.Seed[:])
	var reply wire.Booted
	if err := h.request(context.Background(), wire.MethodBoot, m, &reply, p, i); err != nil {
		h.t.Fatalf("%v; %s", err, &h.stderr)
	}
	return reply
}

// Under the real filter, a program's heap goes through a pipe and comes to life in
// another process.
func TestSuspend(t *testing.T) {
	h := start(t, counter)
	if r, err := h.call("add", ""); err != nil || string(r.Output) != "1" {
		t.Fatalf("%+v, %v", r, err)
	}
	answer := make(chan string)
	go func() {
		r, err := h.call("never", "")
		if r.Error != nil {
			answer <- r.Error.Name + ": " + r.Error.Message
			return
		}
		answer <- "no error of the program's: " + string(r.Output) + errText(err)
	}()
	h.call("add", "") // the other one is there by then, or comes too late
	m, image, err := h.suspend(mp.ImageInstance)
	if err != nil || m.Refused != "" || len(image) == 0 {
		t.Fatalf("%+v with %d bytes, %v; %s", m, len(image), err, &h.stderr)
	}
	if got := <-answer; !strings.HasPrefix(got, "AbortError: the program was suspended") {
		t.Errorf("the call under way gives %q", got)
	}
	if r, err := h.call("add", ""); err == nil && r.Error == nil {
		t.Errorf("it goes on: %+v", r)
	}
	next := begin(t, variation{})
	if b := next.bootWith(counter, image); b.Image != wire.Restored || len(b.Exports) != 2 {
		t.Fatalf("%+v; %s", b, &next.stderr)
	}
	if r, err := next.call("add", ""); err != nil || string(r.Output) != "3" {
		t.Errorf("%+v, %v", r, err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What is no image is said, and the program evaluated.
func TestBootWithoutUse(t *testing.T) {
	for name, image := range map[string][]byte{"nothing": nil, "garbage": bytes.Repeat([]byte("x"), 20000)} {
		h := begin(t, variation{})
		b := h.bootWith(counter, image)
		if b.Image == "" || b.Image == wire.Restored || b.Error != nil {
			t.Errorf("%s: %+v", name, b)
		}
		if r, err := h.call("add", ""); err != nil || string(r.Output) != "1" {
			t.Errorf("%s: %+v, %v; %s", name, r, err, &h.stderr)
		}
	}
}

// A program that cannot be kept evaluated says why, and goes on.
func TestSuspendRefused(t *testing.T) {
	h := start(t, `export const chance = Math.random(); export const f = () => 1;`)
	m, _, err := h.suspend(mp.ImageReady)
	if err != nil || !strings.Contains(m.Refused, "random") {
		t.Errorf("%+v, %v", m, err)
	}
	if r, err := h.call("f", ""); err != nil || string(r.Output) != "1" {
		t.Errorf("%+v, %v; %s", r, err, &h.stderr)
	}
}

// Who asks where there is nothing to suspend, or with no pipe, is not the supervisor.
func TestSuspendBreaksRule(t *testing.T) {
	blank := func() *host { h := begin(t, variation{}); h.waitSealed(); return h }
	withPipe := func(h *host) error { _, _, err := h.suspend(mp.ImageInstance); return err }
	without := func(h *host) error {
		return h.request(context.Background(), wire.MethodSuspend, &wire.Suspend{Kind: mp.ImageInstance}, &wire.Suspended{})
	}
	for name, tt := range map[string]struct {
		h   *host
		ask func(*host) error
	}{
		"of a native program": {shell(t, "sleep 1000"), withPipe},
		"before the boot":     {blank(), withPipe},
		"without a pipe":      {start(t, counter), without},
	} {
		if err := tt.ask(tt.h); err == nil {
			t.Errorf("%s: it was taken", name)
		}
		if s := tt.h.wait(); s.ExitStatus() != 73 {
			t.Errorf("%s: status %#x, want exit code 73; %s", name, s, &tt.h.stderr)
		}
	}
}
