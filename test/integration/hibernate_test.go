package integration

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const sleeper = "testdata/sleeper"

// A program goes on where it was, in a daemon that knows of it only by what lies
// on the disk.
func TestHibernateOverKill(t *testing.T) {
	k := newKeeper(t)
	id := k.run(sleeper)
	k.expect(id, "increment", `{"count":1,"step":1}`)
	for n := 2; n <= 4; n++ {
		kept := k.hibernate(id)
		if kept.GetImageBytes() == 0 || kept.GetStateBytes() == 0 {
			t.Errorf("kept %v", kept)
		}
		k.restart()
		if list := k.list(); len(list) != 1 || list[0].GetState() != "hibernated" || list[0].GetImageBytes() != kept.GetImageBytes() || list[0].GetPid() != 0 {
			t.Fatalf("after the restart there are %v", list)
		}
		if _, err := k.Client.Call(t.Context(), &controlpb.CallRequest{Id: id, Name: "increment"}); !errors.Is(err, mp.ErrHibernated) || !strings.Contains(err.Error(), "resume "+id) {
			t.Errorf("a call of a hibernated program: %v", err)
		}
		if r := k.resume(id); r.GetImage() != "instance" || r.GetReason() != "" || len(r.GetExports()) != 4 {
			t.Errorf("resumed: %v", r)
		}
		k.expect(id, "how", `{"restored":true,"state":null}`)
		k.expect(id, "increment", `{"count":`+string(rune('0'+n))+`,"step":`+string(rune('0'+n))+`}`)
	}
	k.expectFiles(0)
}

// An image that somebody changed is not used: the program begins with its source,
// and with what it saved.
func TestTamperedImage(t *testing.T) {
	for name, tamper := range map[string]func(file string) error{
		"a bit": func(file string) error {
			b, err := os.ReadFile(file)
			if err == nil {
				b[len(b)/2] ^= 1
				err = os.WriteFile(file, b, 0o600)
			}
			return err
		},
		"cut off": func(file string) error { return os.Truncate(file, 1000) },
		"removed": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t)
			id := k.run(sleeper)
			k.call(id, "increment", "null")
			k.hibernate(id)
			if err := tamper(filepath.Join(k.state, "instances", id+".image")); err != nil {
				t.Fatal(err)
			}
			if r := k.resume(id); r.GetImage() != "prelude" || !strings.Contains(r.GetReason(), "its image") {
				t.Errorf("resumed: %v", r)
			}
			k.expect(id, "how", `{"restored":false,"state":{"count":1}}`)
			k.expect(id, "increment", `{"count":1,"step":1}`)
			res, err := k.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
			if err != nil || res.GetStartImage() != "prelude" || res.GetStartReason() == "" {
				t.Errorf("inspect: %q, %q, %v", res.GetStartImage(), res.GetStartReason(), err)
			}
			k.expectFiles(0)
		})
	}
}

// A call that is under way when its program is hibernated ends, and says why.
func TestHibernateDuringCall(t *testing.T) {
	k := newKeeper(t)
	id := k.run(sleeper)
	answer := make(chan string)
	go func() {
		res, err := k.Client.Call(context.Background(), &controlpb.CallRequest{Id: id, Name: "never"})
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- res.GetThrown().GetName() + ": " + res.GetThrown().GetMessage()
	}()
	eventually(t, func() error {
		for _, p := range k.list() {
			if p.GetCalls() == 1 {
				return nil
			}
		}
		return errors.New("the call is not under way")
	})
	time.Sleep(50 * time.Millisecond) // the worker has it by then; else it ends likewise
	k.hibernate(id)
	if got := <-answer; !strings.HasPrefix(got, "AbortError: the program was suspended") && !strings.Contains(got, "hibernated") {
		t.Errorf("the call's answer is %q", got)
	}
	if r := k.resume(id); r.GetImage() != "instance" {
		t.Errorf("resumed: %v", r)
	}
}

// What is killed while it is hibernated leaves nothing.
func TestKillHibernated(t *testing.T) {
	k := newKeeper(t)
	id := k.run(sleeper)
	k.hibernate(id)
	k.expectFiles(3)
	if _, err := k.Client.Kill(t.Context(), &controlpb.KillRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	k.expectFiles(0)
	if list := k.list(); len(list) != 0 {
		t.Errorf("still there: %v", list)
	}
	if _, err := k.Resume(t.Context(), &controlpb.ResumeRequest{Id: id}); err == nil {
		t.Error("resumed")
	}
	k.restart()
	if list := k.list(); len(list) != 0 {
		t.Errorf("back after a restart: %v", list)
	}
}

// The second program of a package begins with its ready image, and so does the
// first one after a restart.
func TestReadyImage(t *testing.T) {
	k := newKeeper(t, "[keep]")
	first := k.run(sleeper)
	k.call(first, "increment", "null")
	eventually(t, func() error {
		entries, _ := os.ReadDir(filepath.Join(k.state, "ready"))
		if len(entries) != 1 || strings.HasSuffix(entries[0].Name(), ".tmp") {
			return errors.New("there is no ready image\n" + k.Log())
		}
		return nil
	})
	for range 2 {
		id := k.run(sleeper)
		res, err := k.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
		if err != nil || res.GetStartImage() != "ready" {
			t.Errorf("began with %q: %q, %v", res.GetStartImage(), res.GetStartReason(), err)
		}
		k.expect(id, "how", `{"restored":false,"state":null}`)
		k.expect(id, "increment", `{"count":1,"step":1}`)
		k.restart()
	}
}

// A full disk is an error, and the program goes on as if nothing had been.
func TestHibernateWithoutRoom(t *testing.T) {
	k := newKeeperIn(t, smallDisk(t))
	id := k.run(sleeper)
	k.call(id, "fill", "12")
	k.call(id, "increment", "null")
	_, err := k.Hibernate(t.Context(), &controlpb.HibernateRequest{Id: id})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Fatalf("hibernated on a full disk: %v", err)
	}
	k.expect(id, "increment", `{"count":2,"step":2}`)
}
