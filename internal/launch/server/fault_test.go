package server

import (
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// patience is for the kernel's log, which says no more than ten things in five
// seconds, whoever makes it say them: how often a fault is tried again that was
// told without its class.
const patience = 120

func again() { time.Sleep(250 * time.Millisecond) }

// told gives a fault that was told before the last end, one of a class if
// there is any.
func (r *rig) told(t *testing.T) (f *launch.Fault) {
	t.Helper()
	for {
		select {
		case n := <-r.client.Notices():
			if n.Fault != nil && (f == nil || f.Class == mp.FaultUnknown) {
				f = n.Fault
			}
		default:
			return f
		}
	}
}

// The class of a fault is known for the worker's own process, and for a child
// that is gone as soon as it has died.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		how    string
		signal unix.Signal
		class  mp.Fault
		is     func(address uint64) bool
	}{
		{"null", unix.SIGSEGV, mp.FaultNull, func(a uint64) bool { return a == 0x18 }},
		{"wild", unix.SIGSEGV, mp.FaultWild, func(a uint64) bool { return a == 0x123456789000 }},
		{"upper", unix.SIGSEGV, mp.FaultWild, func(a uint64) bool { return a == 0 }},
		{"execute", unix.SIGSEGV, mp.FaultExec, func(a uint64) bool { return a != 0 }},
		{"guard", unix.SIGSEGV, mp.FaultGuard, func(a uint64) bool { return a != 0 }},
		{"illegal", unix.SIGILL, mp.FaultIllegal, func(a uint64) bool { return a == 0 }},
	} {
		for _, who := range []string{"fault", "child"} {
			t.Run(who+" "+test.how, func(t *testing.T) {
				r := dialMisuse(t, who+" "+test.how)
				var f *launch.Fault
				for i := 0; i < patience && (f == nil || f.Class == mp.FaultUnknown); i++ {
					j := r.must(t, "a", who+" "+test.how)
					if e := r.exited(t); e.Signal != int(test.signal) && e.Code != 128+int(unix.SIGSEGV) {
						t.Fatalf("told %+v", e)
					}
					if f = r.told(t); f != nil && f.Class == mp.FaultUnknown {
						again()
					}
					if f == nil {
						said, _ := io.ReadAll(j.said)
						t.Fatalf("nothing was told of the fault; the worker says %q", said)
					}
				}
				if f.ID != "a" || f.Signal != int(test.signal) || f.Class != test.class || !test.is(f.Address) || f.Command != "a]: x[1] trap " {
					t.Errorf("told %+v", f)
				}
			})
		}
	}
}

// Of what the kernel's log does not say there is the signal.
func TestFaultWithoutALine(t *testing.T) {
	for _, who := range []string{"fault", "child"} {
		r := dialMisuse(t, who+" bus")
		r.must(t, "a", who+" bus")
		r.exited(t)
		if f := r.told(t); f == nil || f.Signal != int(unix.SIGBUS) || f.Class != mp.FaultUnknown || f.Pid == 0 || f.Count != 1 {
			t.Errorf("%s: told %+v", who, f)
		}
	}
}
