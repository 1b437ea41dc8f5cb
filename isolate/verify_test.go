package isolate

import (
	"slices"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/verify"
	"golang.org/x/sys/unix"
	"os"
)

// channel gives a socket, which is what a worker's descriptor 3 must be.
func channel(t testing.TB) *os.File {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return theirs
}

// inspect starts a worker, verifies its locks once it is ready, and ends it.
func inspect(t testing.TB, l *Launcher, s Spec) map[lock.Name]verify.Lock {
	t.Helper()
	if s.Files == nil {
		s.Files = []*os.File{channel(t)}
	}
	w, r := begin(t, l, s)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
	locks, err := w.Verify()
	if err != nil {
		t.Fatal(err)
	}
	w.Kill()
	finish(t, w)
	found := map[lock.Name]verify.Lock{}
	for _, l := range locks {
		found[l.Name] = l
	}
	return found
}

func missing(found map[lock.Name]verify.Lock) (names []lock.Name) {
	for _, info := range lock.All() {
		if l, ok := found[info.Name]; !ok || !l.OK {
			names = append(names, info.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryLockOfASealedWorkerIsFound(t *testing.T) {
	for name, l := range inspect(t, open(t), Spec{Args: []string{"sealed"}}) {
		if !l.OK {
			t.Errorf("%s: found %q, want %q", name, l.Found, l.Want)
		}
		t.Logf("%s: %s", name, l.Found)
	}
}

// Each lock that the launcher can leave out is found missing when it is left
// out, and no other is.
func TestLockLeftOutIsFoundMissing(t *testing.T) {
	l := open(t)
	for name := range omissions {
		switch name {
		case lock.Securebits, lock.Keyring: // not to be seen from outside
			continue
		case lock.NoNewPrivs: // without it there can be no filter
			continue
		}
		t.Run(string(name), func(t *testing.T) {
			found := inspect(t, l, Spec{Slot: 1, Args: []string{"sealed"}, Without: []lock.Name{name}})
			want := []lock.Name{name}
			switch name {
			case lock.UserNamespace: // nor a map of user ids, nor anything that keeps the flags of mounts
				want = []lock.Name{lock.ReadOnlyRoot, lock.UIDRange, lock.UserNamespace}
			case lock.PidNamespace: // its root has a /proc
				want = []lock.Name{lock.PidNamespace, lock.ReadOnlyRoot}
			}
			if got := missing(found); !slices.Equal(got, want) {
				t.Errorf("found missing: %v, want %v: %+v", got, want, found)
			}
		})
	}
}

func TestUnsealedWorkerIsFoundOut(t *testing.T) {
	found := inspect(t, open(t), Spec{Args: []string{"spin"}})
	want := []lock.Name{lock.Dumpable, lock.Landlock, lock.MDWE, lock.Seccomp, lock.Securebits}
	if got := missing(found); !slices.Equal(got, want) {
		t.Errorf("found missing: %v, want %v", got, want)
	}
}

func TestForeignDescriptorIsFoundOut(t *testing.T) {
	root, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	found := inspect(t, open(t), Spec{Args: []string{"sealed"}, Files: []*os.File{channel(t), root}})
	if got := missing(found); !slices.Equal(got, []lock.Name{lock.Descriptors}) {
		t.Errorf("found missing: %v", got)
	}
	t.Log(found[lock.Descriptors].Found)
}

func TestChangedLimitIsFound(t *testing.T) {
	w, r := begin(t, open(t), Spec{Args: []string{"sealed"}, Files: []*os.File{channel(t)}})
	r.ReadString('\n')
	defer func() { w.Kill(); finish(t, w) }()
	other := limits
	other.Pids++
	for _, step := range []struct {
		set  func() error
		good bool
	}{
		{func() error { return w.SetLimits(other) }, true},
		{func() error { return w.Group.SetLimits(limits) }, false}, // behind the worker's back
	} {
		if err := step.set(); err != nil {
			t.Fatal(err)
		}
		locks, err := w.Verify()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locks {
			if l.Name == lock.PidsLimit && l.OK != step.good {
				t.Errorf("found %+v", l)
			}
		}
	}
}

func TestEndedWorkerCannotBeVerified(t *testing.T) {
	w, _ := begin(t, open(t), Spec{Args: []string{"exit"}})
	finish(t, w)
	if locks, err := w.Verify(); err == nil {
		t.Errorf("found %v", locks)
	}
}

func BenchmarkVerify(b *testing.B) {
	w, r := begin(b, open(b), Spec{Args: []string{"sealed"}, Files: []*os.File{channel(b)}})
	r.ReadString('\n')
	defer func() { w.Kill(); finish(b, w) }()
	for b.Loop() {
		if _, err := w.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}
