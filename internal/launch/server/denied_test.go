package server

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
)

// refused gives what was told of a worker up to its end.
func (r *rig) refused(t *testing.T) (all []launch.Denied, e launch.Exited) {
	t.Helper()
	e = r.exited(t)
	for {
		select {
		case n := <-r.client.Notices():
			if n.Denied != nil {
				all = append(all, *n.Denied)
			}
		default:
			return all, e
		}
	}
}

func TestDenied(t *testing.T) {
	r := dialMisuse(t, "refused", "sleep")
	j := r.must(t, "a", "refused")
	r.must(t, "b", "sleep")
	j.said.ReadString('\n')
	told := map[string]launch.Denied{}
	for range 2 {
		d := (<-r.client.Notices()).Denied
		told[d.Syscall] = *d
	}
	for what, action := range map[string]string{"sethostname": actionRefused, "setdomainname": actionLogged} {
		want := launch.Denied{ID: "a", Pid: j.Pid, Command: "misuse", Syscall: what, Arch: arch, Action: action, Count: 1}
		if told[what] != want {
			t.Errorf("told %+v, want %+v", told[what], want)
		}
	}
}

// A process that is killed is told of before its worker's end, and the worker's
// own system call with it.
func TestKilledIsToldBeforeTheEnd(t *testing.T) {
	for mode, want := range map[string]launch.Exited{
		"between": {ID: "a", Signal: int(unix.SIGSYS), Syscall: "adjtimex"},
		"killed":  {ID: "a", Code: 128 + int(unix.SIGSYS)},
	} {
		r := dialMisuse(t, mode)
		r.must(t, "a", mode)
		told, e := r.refused(t)
		if e.Signal != want.Signal || e.Code != want.Code || e.Syscall != want.Syscall {
			t.Errorf("%s: told %+v", mode, e)
		}
		killed := 0
		for _, d := range told {
			if d.Action == actionKilled && d.Syscall == "adjtimex" {
				killed++
			}
		}
		if killed != 1 {
			t.Errorf("%s: told %+v", mode, told)
		}
	}
}

// A flood of refusals costs a few packets, and its end is told.
func TestFloodOfRefusals(t *testing.T) {
	r := dialMisuse(t, "flood", "sleep")
	r.must(t, "a", "flood")
	told, e := r.refused(t)
	if e.Code != 0 || e.Signal != 0 {
		t.Errorf("told %+v", e)
	}
	var sum uint64
	for _, d := range told {
		if d.Syscall != "sethostname" || d.Action != actionRefused {
			t.Errorf("told %+v", d)
		}
		sum += d.Count
	}
	// At most one a second, and the reader's thousand a second with the buffer's few.
	t.Logf("%d refusals told in %d packets", sum, len(told))
	if len(told) == 0 || len(told) > 30 || sum == 0 || sum > 20000 {
		t.Errorf("%d refusals told in %d packets", sum, len(told))
	}
	r.must(t, "b", "sleep")
	if s, err := r.client.Stat(t.Context(), "b"); err != nil || s.State != "running" {
		t.Errorf("afterwards: %+v %v", s, err)
	}
}

// There are more kinds than are told apart.
func TestKindsOfRefusals(t *testing.T) {
	r := dialMisuse(t, "kinds")
	r.must(t, "a", "kinds")
	told, _ := r.refused(t)
	kinds := map[string]bool{}
	for _, d := range told {
		kinds[d.Syscall] = true
	}
	if len(kinds) != maxKinds+1 || !kinds[moreCalls] {
		t.Errorf("%d kinds: %v", len(kinds), kinds)
	}
}
