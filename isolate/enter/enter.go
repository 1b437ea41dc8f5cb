// Package enter sets the last locks on a worker, from inside, before it takes
// the first byte of a stranger's program.
//
// The launcher has already put the process into its namespaces, its cgroup and
// its empty root. What is left can only be done, or is only safe to do, by the
// process itself, when it has opened what it needs: Enter does it, in one
// straight path, and proves each lock at once, by an attempt where one can be
// survived and by the kernel's own state otherwise. There is no way back: no
// lock can be opened again, by anyone in the process.
//
// The process must be pure Go (CGO_ENABLED=0). Most locks are a matter of one
// thread; package syscall can put them on all threads of a Go program, and
// refuses to where C code may have made threads that it does not know.
//
// After Enter the process must not open files, look at the time zone for the
// first time, change GOMAXPROCS, or use os/exec, package net or a profiler: the
// filter kills it. Prepare says what Enter does beforehand so that Go's runtime
// itself needs nothing of the kind.
package enter

import (
	"fmt"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// Config says what the worker keeps.
type Config struct {
	// Filters are the system call filters, in the order in which they are
	// installed.
	Filters seccomp.Stack

	// Native is for process 1 of a native program: what it starts afterwards
	// inherits its locks, so they leave what the program has of its root, /tmp,
	// /dev and /proc, and what package isolate has set for it.
	Native bool

	// Code says that the process loads machine code after Enter: MDWE is left to
	// Report.Finish.
	Code bool

	// Learn says that the filters ask the launcher about each call, which lets
	// it pass, and refuse next to none. It takes a kernel with MDWE, since no
	// filter stands in for that then.
	Learn bool

	// Keep lists the descriptors that stay open, besides those of the runtime's
	// poller. All others are closed under whoever still holds an *os.File of
	// them: close those first, or a later finalizer closes a stranger.
	Keep []int

	// Without leaves locks out. It is for control runs of tests, which show
	// that an attack gets further without the lock, and for nothing else.
	Without []lock.Name
}

// Report says what was proven.
type Report struct {
	Locks  []lock.Name // those that held, in the order in which they were set
	Absent []lock.Name // those that this kernel does not have, and another lock stands in for

	LandlockABI     int      // the kernel's; 0 when Landlock was left out
	LandlockMissing []string // what newer kernels' Landlock denies and this one's does not

	later []step // what Finish sets
}

// step sets one lock and proves it.
type step struct {
	name  lock.Name
	set   func(*state) error
	prove func(*state) error
}

// state is what the steps hand on.
type state struct {
	Config
	report Report
}

// steps are the locks in order. Each stands where it does for the reason
// beside it.
var steps = []step{
	// First, so that nothing open can be used by what follows, and nothing that
	// follows has opened anything.
	{lock.Descriptors, closeDescriptors, proveDescriptors},
	// Before Landlock and the filter: the kernel lets only a process that can
	// gain no privilege restrict itself.
	{lock.NoNewPrivs, setNoNewPrivs, proveNoNewPrivs},
	// While CAP_SETPCAP is there, if the launcher left it; it has set them itself
	// otherwise.
	{lock.Securebits, setSecurebits, proveSecurebits},
	// Then that capability goes, with any other.
	{lock.Capabilities, dropCapabilities, proveCapabilities},
	// Needs no privilege and is undone by none.
	{lock.Rlimits, setRlimits, proveRlimits},
	// After the credentials, because the kernel writes it when they change.
	{lock.Dumpable, setDumpable, proveDumpable},
	// After everything that opens, connects or signals.
	{lock.Landlock, setLandlock, proveLandlock},
	// From here on no page becomes executable.
	{lock.MDWE, setMDWE, proveMDWE},
	// Last: it forbids every call that set the others.
	{lock.Seccomp, setSeccomp, proveSeccomp},
}

// Enter sets and proves the locks on all threads. An error leaves the process
// half locked: it must end. If the error is a *lock.MissingError, the kernel
// lacks that lock or the launcher did not give what it takes.
func Enter(cfg Config) (Report, error) {
	if err := prepare(); err != nil {
		return Report{}, fmt.Errorf("cannot seal the worker: %w", err)
	}
	if cfg.Learn && !lock.InKernel(lock.MDWE) {
		return Report{}, fmt.Errorf("cannot seal the worker: %w",
			lock.Missing(lock.MDWE, "not in this kernel, and a filter that refuses nothing cannot do instead"))
	}
	if cfg.Native {
		if err := setName(); err != nil {
			return Report{}, fmt.Errorf("cannot seal the worker: %w", err)
		}
	}
	s := &state{Config: cfg}
	for _, step := range steps {
		if slices.Contains(cfg.Without, step.name) {
			continue
		}
		if cfg.Code && step.name == lock.MDWE && lock.InKernel(lock.MDWE) {
			s.report.later = append(s.report.later, step)
			continue
		}
		if err := step.take(s); err != nil {
			return Report{}, fmt.Errorf("cannot seal the worker: %w", err)
		}
	}
	return s.report, nil
}

// take sets and proves a lock, and notes it. A lock that the kernel does not
// have is passed over only if another stands in for it, and that one is a step
// of its own: Enter fails without it.
func (st step) take(s *state) error {
	info, _ := lock.Lookup(st.name)
	if info.Instead != "" && !lock.InKernel(st.name) {
		s.report.Absent = append(s.report.Absent, st.name)
		return nil
	}
	if err := st.run(s); err != nil {
		return err
	}
	s.report.Locks = append(s.report.Locks, st.name)
	return nil
}

// run makes every failure of a step the lack of its lock.
func (st step) run(s *state) error {
	if err := st.set(s); err != nil {
		return lock.Missing(st.name, "cannot set it: %v", err)
	}
	if err := st.prove(s); err != nil {
		return lock.Missing(st.name, "it is set and does not hold: %v", err)
	}
	return nil
}
