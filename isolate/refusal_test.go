package isolate

import (
	"os"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

func TestPolicyIsThatOfTheSettings(t *testing.T) {
	l := open(t)
	base := Spec{ID: "a", Args: []string{"exit"}, Limits: limits, Filter: []byte{1}}
	start := func(change func(*Spec)) Policy {
		s := base
		change(&s)
		w, _ := begin(t, l, s)
		finish(t, w)
		return w.Policy
	}
	same := start(func(s *Spec) {})
	if p := start(func(s *Spec) { s.ID = "b" }); p != same {
		t.Error("depends on the name")
	}
	for what, change := range map[string]func(*Spec){
		"limits":  func(s *Spec) { s.Limits.Pids++ },
		"filter":  func(s *Spec) { s.Filter = []byte{2} },
		"locks":   func(s *Spec) { s.Without = []lock.Name{lock.ReadOnlyRoot} },
		"user id": func(s *Spec) { s.Slot++ },
		"env":     func(s *Spec) { s.Env = []string{"A=b"} },
	} {
		if start(change) == same {
			t.Errorf("does not depend on the %s", what)
		}
	}
}

func TestRefusals(t *testing.T) {
	l := open(t)
	for what, s := range map[string]Spec{
		"up":           {ID: "..", Stderr: os.Stderr},
		"path":         {ID: "a/b", Stderr: os.Stderr},
		"empty":        {Stderr: os.Stderr},
		"slot":         {ID: "a", Slot: 64, Stderr: os.Stderr},
		"no stderr":    {ID: "a"},
		"unknown lock": {ID: "a", Stderr: os.Stderr, Without: []lock.Name{lock.Seccomp}},
		"bad file":     {ID: "a", Stderr: os.Stderr, Files: []*os.File{nil}},
	} {
		t.Run(what, func(t *testing.T) {
			if w, err := l.Start(s); err == nil {
				t.Errorf("started %+v", w)
			} else {
				t.Log(err)
			}
		})
	}
}

// Where a worker is born in its memory group it cannot be started; where it
// joins the group later, it ends there.
func TestMemoryThatIsTooLittleToStart(t *testing.T) {
	w, err := open(t).Start(Spec{ID: "a", Stderr: os.Stderr, Limits: cgroup.Limits{Memory: 4096}})
	if err != nil {
		t.Log(err)
		return
	}
	if e := finish(t, w); !e.OOM() {
		t.Errorf("ended with %+v", e)
	}
}

func TestSecondWorkerOfTheSameName(t *testing.T) {
	l := open(t)
	w, r := begin(t, l, Spec{Args: []string{"spin"}})
	r.ReadString('\n')
	if _, err := l.Start(Spec{ID: "a", Stderr: os.Stderr, Limits: limits}); err == nil {
		t.Error("started")
	}
	if pids, err := w.Group.Procs(); len(pids) == 0 {
		t.Errorf("the first one was ended: %v", err)
	}
	w.Kill()
	finish(t, w)
}

func TestNativePolicy(t *testing.T) {
	l, dir := openNative(t), root(t)
	start := func(change func(*Spec)) Policy {
		s := nativeSpec(t, dir, nil, "/bin/true")
		change(&s)
		w, r := begin(t, l, s)
		r.ReadString('\n')
		finish(t, w)
		return w.Policy
	}
	same := start(func(*Spec) {})
	if start(func(s *Spec) { s.ID = "b" }) != same {
		t.Error("depends on the name")
	}
	other := root2(t)
	if start(func(s *Spec) { s.Native.Root = directory(t, other) }) != same {
		t.Error("depends on the directory")
	}
	for what, change := range map[string]func(*Spec){
		"terminal":       func(s *Spec) { s.Native.TTY = true },
		"size of /tmp":   func(s *Spec) { s.Native.TmpBytes++ },
		"inodes of /tmp": func(s *Spec) { s.Native.TmpFiles++ },
		"descriptors":    func(s *Spec) { s.Native.Files++ },
	} {
		if start(change) == same {
			t.Errorf("does not depend on the %s", what)
		}
	}
}

// root2 is a second root.
func root2(t *testing.T) (dir string) {
	t.Run("second", func(s *testing.T) {
		dir = root(s) + "-kept"
		if err := os.Rename(strings.TrimSuffix(dir, "-kept"), dir); err != nil {
			s.Fatal(err)
		}
	})
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
