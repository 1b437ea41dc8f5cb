package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

const app = `
export const add = ({ a, b }) => a + b;
export const later = async (ms) => { await new Promise((r) => setTimeout(r, ms)); return ms; };
export const dates = () => [new Date(0).toString(), new Date(2024, 5, 1).getTimezoneOffset(), new Date().toLocaleString().length > 5];
export const where = () => { null.x; };
export const big = (n) => "x".repeat(n);
export const log = () => { console.error("now", { a: 1 }); };
export const leave = (code) => { console.log("bye"); mp.exit(code); };
export const spin = () => { for (;;); };
export const bomb = () => { const a = []; for (;;) a.push([1]); };
export const deep = () => { const f = () => f() + 1; return f(); };
export const random = () => [Math.random(), crypto.randomUUID()].join();
export const stray = () => { setTimeout(() => { throw new Error("stray"); }); };
export const wait = () => new Promise((r) => setTimeout(r, 20));
export const never = () => new Promise(() => {});
`

func TestLife(t *testing.T) {
	h := begin(t, variation{})
	sealed := h.waitSealed()
	if sealed.Image != "mapped" || len(sealed.Locks) < 8 || sealed.Landlock < 1 {
		t.Errorf("sealed: %+v", sealed)
	}
	h.sealed <- sealed
	if b, err := h.boot(app); err != nil || b.Error != nil || len(b.Exports) != 14 {
		t.Fatalf("%+v, %v; %s", b, err, &h.stderr)
	}
	for _, c := range []struct{ name, input, want string }{
		{"add", `{"a":1,"b":2}`, "3"},
		{"later", "20", "20"},
		{"dates", "", `["Thu Jan 01 1970 00:00:00 GMT+0000",0,true]`},
		{"stray", "", "null"},
		{"wait", "", "null"},
		{"log", "", "null"},
	} {
		if r, err := h.call(c.name, c.input); err != nil || string(r.Output) != c.want || r.Error != nil {
			t.Errorf("%s(%s): %s, %v, %v, want %s", c.name, c.input, r.Output, r.Error, err, c.want)
		}
	}
	if r, err := h.call("where", ""); err != nil || r.Error == nil || !strings.HasPrefix(r.Error.Stack, "    at where (app.js:5:") {
		t.Errorf("where: %+v, %v", r.Error, err)
	}
	if r, err := h.call("deep", ""); err != nil || r.Error == nil || r.Error.Message != "stack overflow: the limit is 6.0 MiB" {
		t.Errorf("deep: %+v, %v", r.Error, err)
	}
	if r, err := h.call("big", fmt.Sprint(wire.MaxResult-2)); err != nil || len(r.Output) != wire.MaxResult {
		t.Errorf("the largest result: %d bytes, %v", len(r.Output), err)
	}
	if r, err := h.call("big", fmt.Sprint(wire.MaxResult)); err != nil || r.TooLarge != wire.MaxResult+2 {
		t.Errorf("too large: %+v, %v", r, err)
	}
	if r, err := h.call("nothing", ""); err != nil || !r.NotFound {
		t.Errorf("not found: %+v, %v", r, err)
	}
	if got := h.log(); !strings.Contains(got, "error now { a: 1 }\n") || !strings.Contains(got, "error Uncaught Error: stray\n    at <anonymous> (app.js:13:") {
		t.Errorf("log:\n%s", got)
	}
}

func TestWorkersShareNoRandomness(t *testing.T) {
	var got [2]string
	for i := range got {
		r, err := start(t, app).call("random", "")
		if err != nil {
			t.Fatal(err)
		}
		got[i] = string(r.Output)
	}
	if got[0] == got[1] {
		t.Errorf("two workers both gave %s", got[0])
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	h := start(t, app)
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			r, err := h.call("later", fmt.Sprint(i%20))
			if err != nil || string(r.Output) != fmt.Sprint(i%20) {
				t.Errorf("call %d: %s, %v", i, r.Output, err)
			}
		})
	}
	wg.Wait()
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		name, input string
		cause       mp.Cause
		code        int // the process's
	}{
		{"leave", "7", mp.CauseExited, 7},
		{"leave", "0", mp.CauseExited, 0},
		{"spin", "", mp.CauseCallLimit, 74},
		{"never", "", mp.CauseCallLimit, 74},
		{"bomb", "", mp.CauseMemoryLimit, 74},
	} {
		t.Run(c.name+c.input, func(t *testing.T) {
			h := start(t, app)
			if r, err := h.call(c.name, c.input); err == nil {
				t.Errorf("the call gave %+v", r)
			}
			status := h.wait()
			<-h.conn.Done() // what it sent has been read
			select {
			case m := <-h.ending:
				if m.Cause != c.cause || c.cause == mp.CauseExited && m.Code != c.code {
					t.Errorf("ending: %+v", m)
				}
			default:
				t.Errorf("there was no Ending; %s", &h.stderr)
			}
			if status.ExitStatus() != c.code {
				t.Errorf("status %d, want %d; %s", status.ExitStatus(), c.code, &h.stderr)
			}
			if c.name == "leave" && h.log() != "info bye\n" {
				t.Errorf("log: %q", h.log())
			}
		})
	}
}

func TestBootErrors(t *testing.T) {
	for app, want := range map[string]string{
		"export const x = ;":                        "SyntaxError",
		"throw new TypeError('no')":                 "TypeError: no",
		`import "./missing.js"`:                     "no such file in the package",
		`import * as os from "os"; os.exec(["ls"])`: "only files of the package",
	} {
		h := begin(t, variation{})
		if b, err := h.boot(app); err != nil || b.Error == nil || !strings.Contains(b.Error.Error(), want) {
			t.Errorf("%s: %+v, %v; %s", app, b, err, &h.stderr)
		}
	}
}

// A worker ends when its channel does, whatever its guest is doing.
func TestChannelEnds(t *testing.T) {
	for name, act := range map[string]func(h *host){
		"idle": func(h *host) {},
		"busy": func(h *host) {
			go h.call("spin", "")
			time.Sleep(50 * time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, app)
			act(h)
			h.conn.Close()
			if s := h.wait(); s.ExitStatus() != 71 {
				t.Errorf("status %#x, want exit code 71; %s", s, &h.stderr)
			}
		})
	}
}

func TestWithoutImage(t *testing.T) {
	h := begin(t, variation{image: func(string) string { return "" }})
	sealed := h.waitSealed()
	if sealed.Image != "evaluated: the image is empty" {
		t.Errorf("image: %s", sealed.Image)
	}
	h.sealed <- sealed
	if b, err := h.boot(app); err != nil || b.Error != nil {
		t.Fatal(err, b.Error)
	}
	if r, err := h.call("add", `{"a":1,"b":2}`); err != nil || string(r.Output) != "3" {
		t.Errorf("%s, %v", r.Output, err)
	}
}

// What is wrong with what the worker inherits ends it, with a code that says so.
func TestBadInheritance(t *testing.T) {
	for name, c := range map[string]struct {
		v    variation
		code int
	}{
		"birth missing":  {variation{birth: func([]byte) []byte { return nil }}, 70},
		"birth too long": {variation{birth: func(b []byte) []byte { return bytes.Repeat(b, 20) }}, 70},
		"filter cut off": {variation{filter: []byte("12345678")}, 70},
		"birth cut off":  {variation{birth: func(b []byte) []byte { return b[:len(b)/2] }}, 70},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := launch(t, c.v)
			if s := h.wait(); s.ExitStatus() != c.code || h.stderr.String() == "" {
				t.Errorf("status %#x, want exit code %d; %s", s, c.code, &h.stderr)
			}
		})
	}
	t.Run("filter that is none", func(t *testing.T) {
		h := begin(t, variation{filter: seccomp.Stack{{Program: []byte("12345678")}}.Marshal()})
		if s := h.wait(); s.ExitStatus() != 72 || !strings.Contains(h.stderr.String(), "seccomp") {
			t.Errorf("status %#x; %s", s, &h.stderr)
		}
	})
	t.Run("peer without the secret", func(t *testing.T) {
		h, channel := launch(t, variation{})
		unix.Write(int(channel.Fd()), bytes.Repeat([]byte{0, 48}, 100))
		if s := h.wait(); s.ExitStatus() != 73 {
			t.Errorf("status %#x, want exit code 73; %s", s, &h.stderr)
		}
	})
}

// A supervisor that breaks the rules of the messages ends the worker: it is
// not the one that started it.
func TestSupervisorBreaksRule(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty": {}, "unknown method": {99}, "call before boot": append([]byte{byte(wire.MethodCall)}, 0xa1, 0x01, 0x61, 'f'), "garbage": {byte(wire.MethodBoot), 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			h := begin(t, variation{})
			h.waitSealed()
			h.conn.Call(context.Background(), body)
			if s := h.wait(); s.ExitStatus() != 73 {
				t.Errorf("status %#x, want exit code 73; %s", s, &h.stderr)
			}
		})
	}
}
