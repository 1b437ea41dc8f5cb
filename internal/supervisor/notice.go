package supervisor

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// maxDenials is how many kinds of refusals are counted for each program. There
// are fewer system calls, but architectures and actions multiply them.
const maxDenials = 1024

// denial is a kind of refusal.
type denial struct{ syscall, arch, action string }

// witness holds what the kernel told of a program through the launcher.
type witness struct {
	mu      sync.Mutex
	denials map[denial]uint64
	denied  uint64 // all of them
	killed  string // the latest system call that ended a process
	fault   *launch.Fault
	denying noise // bounds the events
	failing noise
}

func newWitness(now time.Time) witness {
	return witness{denials: map[denial]uint64{}, denying: newNoise(now), failing: newNoise(now)}
}

// deny counts a refusal. It reports whether to tell of it, and how many before
// it were not told.
func (w *witness) deny(d launch.Denied, now time.Time) (hidden uint64, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind := denial{d.Syscall, d.Arch, d.Action}
	_, known := w.denials[kind]
	if known || len(w.denials) < maxDenials {
		w.denials[kind] = saturated(w.denials[kind], d.Count)
	}
	w.denied = saturated(w.denied, d.Count)
	if d.Action == actionKilled {
		w.killed = d.Syscall
	}
	if !known && len(w.denials) <= maxFirsts {
		return w.denying.force(), true
	}
	return w.denying.pass(now)
}

// maxFirsts is how many kinds of refusals of a program are each told at their
// first, however fast they come: a name must not be hidden behind others. The
// events of one program have a bound of their own.
const maxFirsts = 64

// actionKilled is launch.Denied's word for the end of the process.
const actionKilled = "killed"

// failed takes note of a fault, as deny does of a refusal.
func (w *witness) failed(f launch.Fault, now time.Time) (hidden uint64, tell bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = &f
	return w.failing.pass(now)
}

// testimony gives what matters for the end.
func (w *witness) testimony() (killed string, fault *launch.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed, w.fault
}

func (w *witness) count() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.denied
}

// list gives the refusals, most frequent first.
func (w *witness) list() (all []*controlpb.Denial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d, n := range w.denials {
		all = append(all, &controlpb.Denial{Syscall: d.syscall, Arch: d.arch, Action: d.action, Count: n})
	}
	slices.SortFunc(all, func(a, b *controlpb.Denial) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Syscall, b.Syscall), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Action, b.Action))
	})
	return all
}

// notice takes what the kernel told of a program that runs.
func (s *Supervisor) notice(n launch.Notice) {
	switch {
	case n.Denied != nil:
		s.noticeDenied(*n.Denied)
	case n.Fault != nil:
		s.noticeFault(*n.Fault)
	}
}

func (s *Supervisor) noticeDenied(d launch.Denied) {
	i, err := s.find(string(d.ID))
	if err != nil {
		return
	}
	s.totals.count(&s.totals.denials, d.Count)
	hidden, tell := i.witness.deny(d, time.Now())
	if !tell {
		return
	}
	s.events.emit(eventDenied, i.id, i.app(), withHidden(hidden,
		"syscall", d.Syscall, "arch", d.Arch, "action", d.Action, "count", utoa(d.Count), "pid", itoa(d.Pid), "command", d.Command)...)
}

func (s *Supervisor) noticeFault(f launch.Fault) {
	i, err := s.find(string(f.ID))
	if err != nil {
		return
	}
	hidden, tell := i.witness.failed(f, time.Now())
	if !tell {
		return
	}
	fields := []string{"signal", itoa(f.Signal), "class", string(f.Class), "pid", itoa(f.Pid), "command", f.Command}
	if f.Address != 0 || f.IP != 0 { // else the kernel did not tell
		fields = append(fields, "address", hex(f.Address), "ip", hex(f.IP))
	}
	s.events.emit(eventFault, i.id, i.app(), withHidden(hidden, fields...)...)
}

// withHidden adds how many events were left out for their rate.
func withHidden(hidden uint64, fields ...string) []string {
	if hidden > 0 {
		fields = append(fields, "hidden", utoa(hidden))
	}
	return fields
}

func hex(n uint64) string { return fmt.Sprintf("%#x", n) }

// tellFault emits the fault of a worker of ours that the kernel's log did not
// tell of: its runtime caught the signal, or its engine did.
func (i *instance) tellFault(exit mp.Exit) {
	class, signal := exit.Fault, exit.Signal
	switch exit.Cause {
	case mp.CauseMemoryViolation:
		if class == "" {
			class = mp.FaultUnknown
		}
	case mp.CauseSeccomp:
		class = mp.FaultSyscall
	default:
		return
	}
	if _, told := i.witness.testimony(); told != nil {
		return
	}
	i.mu.Lock()
	pid := i.proc.Pid
	i.mu.Unlock()
	fields := []string{"class", string(class), "pid", itoa(pid)}
	if signal != 0 {
		fields = append(fields, "signal", itoa(signal))
	}
	if exit.Syscall != "" {
		fields = append(fields, "syscall", exit.Syscall)
	}
	if exit.Detail != "" {
		fields = append(fields, "detail", exit.Detail)
	}
	i.sup.events.emit(eventFault, i.id, i.app(), fields...)
}
