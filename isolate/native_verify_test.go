package isolate

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/verify"
)

// sealedNative is a process 1 that has entered and waits.
func sealedNative(t testing.TB, dir string, without ...lock.Name) Spec {
	s := nativeSpec(t, dir, without, "/bin/true")
	s.Env = append(s.Env, "HOLD=1")
	return s
}

// verified gives the locks of a worker by name.
func verified(t testing.TB, w *Worker) map[lock.Name]verify.Lock {
	t.Helper()
	locks, err := w.Verify()
	if err != nil {
		t.Fatal(err)
	}
	found := map[lock.Name]verify.Lock{}
	for _, l := range locks {
		found[l.Name] = l
	}
	return found
}

func ready(t testing.TB, r *bufio.Reader) {
	t.Helper()
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
}

func TestEveryLockOfANativeProgramIsFound(t *testing.T) {
	l, dir := openNative(t), root(t)
	for name, found := range inspect(t, l, sealedNative(t, dir)) {
		if !found.OK {
			t.Errorf("%s: found %q, want %q", name, found.Found, found.Want)
		}
		t.Logf("%s: %s", name, found.Found)
	}
}

func TestNativeLockLeftOutIsFoundMissing(t *testing.T) {
	l, dir := openNative(t), root(t)
	behindFilter := []lock.Name{lock.Landlock, lock.MDWE, lock.Seccomp, lock.Securebits}
	for name, also := range map[lock.Name][]lock.Name{
		lock.UserNamespace: {lock.UIDRange}, lock.PidNamespace: {lock.ReadOnlyRoot}, lock.NetworkNamespace: nil,
		lock.IPCNamespace: nil, lock.UTSNamespace: nil, lock.CgroupNamespace: nil, lock.UIDRange: nil,
		lock.ReadOnlyRoot: nil, lock.MemoryLimit: nil, lock.PidsLimit: nil, lock.CPULimit: nil,
		lock.Dumpable: nil, lock.Descriptors: nil, lock.Seccomp: behindFilter,
	} {
		t.Run(string(name), func(t *testing.T) {
			s := sealedNative(t, dir, name)
			s.Slot = 1
			want := append([]lock.Name{name}, also...)
			slices.Sort(want)
			found := inspect(t, l, s)
			if got := missing(found); !slices.Equal(got, slices.Compact(want)) {
				t.Errorf("found missing: %v, want %v: %+v", got, want, found)
			}
		})
	}
}

// Of the processes that a program makes each one is looked at.
func TestEveryProcessOfANativeProgramIsLookedAt(t *testing.T) {
	l, dir := openNative(t), root(t)
	w, r := begin(t, l, nativeSpec(t, dir, nil, "/bin/sh", "-c", "for i in 1 2 3; do sleep 1000 & done; echo ready; wait"))
	ready(t, r)
	defer func() { w.Kill(); finish(t, w) }()
	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", w.Pid)); string(comm) != "mpworker\n" {
		t.Errorf("process 1 is called %q, %v", comm, err)
	}
	found := verified(t, w)
	if got := missing(found); got != nil {
		t.Errorf("found missing: %v: %+v", got, found)
	}
	if got := found[lock.Capabilities].Found; !strings.HasSuffix(got, "and 4 more processes") {
		t.Errorf("found %q", got)
	}
	for !strings.HasPrefix(verified(t, w)[lock.Seccomp].Found, "mode 2, 4 filters") {
		// It may not have narrowed its own yet: the program has 3.
	}
	stranger := exec.Command(busybox, "sleep", "1000") // with all that root has
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Wait()
	defer stranger.Process.Kill()
	if err := w.Group.Add(stranger.Process.Pid, ""); err != nil {
		t.Fatal(err)
	}
	found = verified(t, w)
	want := []lock.Name{lock.Capabilities, lock.NoNewPrivs, lock.Seccomp, lock.UIDRange}
	if got := missing(found); !slices.Equal(got, want) {
		t.Errorf("with a process of root in its group: %v, want %v", got, want)
	}
	if got := found[lock.UIDRange].Found; !strings.HasPrefix(got, fmt.Sprintf("process %d: users 0", stranger.Process.Pid)) {
		t.Errorf("found %q", got)
	}
}

func BenchmarkVerifyNative(b *testing.B) {
	l, dir := openNative(b), root(b)
	for _, more := range []string{"1", "50"} {
		b.Run(more+" processes more", func(b *testing.B) {
			w, r := begin(b, l, nativeSpec(b, dir, nil, "/bin/sh", "-c", "for i in $(seq "+more+"); do sleep 1000 & done; echo ready; wait"))
			ready(b, r)
			defer func() { w.Kill(); finish(b, w) }()
			for b.Loop() {
				if _, err := w.Verify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
