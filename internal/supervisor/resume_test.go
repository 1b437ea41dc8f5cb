package supervisor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// What does not fit any more is no error: the program begins anew, with what it
// saved, and the reason is told.
func TestResumeFromSource(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(dir, id string, m *mock)
		reason string
	}{
		"another build":        {func(_, _ string, m *mock) { m.build = "c" }, "another build"},
		"a build without name": {func(_, _ string, m *mock) { m.build = "" }, "another build"},
		"the worker declines":  {func(_, _ string, m *mock) { m.decline = "the prelude's image differs" }, "the prelude's image differs"},
		"no file":              {func(dir, id string, _ *mock) { os.Remove(filepath.Join(dir, "instances", id+".image")) }, "no such file"},
		"cut off":              {func(dir, id string, _ *mock) { os.Truncate(filepath.Join(dir, "instances", id+".image"), 50) }, "not the one that was kept"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m := privateDir(t), &mock{build: "b", heap: "x", saved: "[7]"}
			r := keeperRig(t, dir, m)
			id := r.mustStart()
			r.mustHibernate(id)
			r.halt()
			tt.change(dir, id, m)
			r = keeperRig(t, dir, m)
			res := r.mustResume(id)
			if res.GetImage() != beganPrelude || !strings.Contains(res.GetReason(), tt.reason) {
				t.Errorf("resumed: %v", res)
			}
			if got := m.list(&m.states); got[len(got)-1] != `{"restored":false,"state":[7]}` {
				t.Errorf("launched with %v", got)
			}
			if _, err := r.call(id, "f", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// As long as no worker has had the image a resume that fails costs nothing;
// afterwards what the program saved is still there.
func TestResumeFails(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "x", saved: "[7]"}
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	r.mustHibernate(id)
	fail := func(want string) {
		t.Helper()
		_, err := r.client.Resume(context.Background(), &controlpb.ResumeRequest{Id: id})
		if err == nil || !strings.Contains(err.Error(), want) || r.told(id) != stateHibernated {
			t.Errorf("resumed with %v, state %q", err, r.told(id))
		}
	}
	r.launcher.set(errors.New("no room for a worker"), nil)
	fail("no room for a worker")
	r.launcher.next(scripted(func(_ *fakeWorker, _ *ipc.Conn, m wire.Method, _ []byte) ([]byte, error) {
		return encoded(&wire.Booted{Error: &mp.GuestError{Name: "Error", Message: "broken"}})
	}))
	fail("broken")
	r.halt()
	r = keeperRig(t, dir, m)
	if res := r.mustResume(id); res.GetImage() != beganPrelude || !strings.Contains(res.GetReason(), "used before") {
		t.Errorf("resumed: %v", res)
	}
	if got := m.list(&m.states); got[len(got)-1] != `{"restored":false,"state":[7]}` {
		t.Errorf("launched with %v", got)
	}
}

// The package goes with its program: a supervisor whose copy was changed says
// what to do, and does it when that is done.
func TestPackageOfHibernated(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "x"}
	r := keeperRig(t, dir, m)
	other := r.put("other")
	res, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: other})
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	r.mustHibernate(id)
	r.halt()
	copies, err := os.ReadDir(filepath.Join(dir, "packages"))
	if err != nil || len(copies) != 1 {
		t.Fatal(copies, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "packages", copies[0].Name()), []byte("not a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = keeperRig(t, dir, m)
	if _, err := r.client.Resume(context.Background(), &controlpb.ResumeRequest{Id: id}); err == nil || !strings.Contains(err.Error(), "put the package again") {
		t.Errorf("resumed with %v", err)
	}
	r.put("other")
	if res := r.mustResume(id); res.GetImage() != "instance" {
		t.Errorf("resumed: %v", res)
	}
}
