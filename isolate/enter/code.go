package enter

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// Finish ends the time in which a process that entered with Code may make memory
// executable: MDWE, where the kernel has it, and further filters, which answer
// clone3 with EPERM. Each is proven by an attempt. The error says which lock is
// missing; the process must end then.
func (r Report) Finish(filters seccomp.Stack) error {
	for _, st := range r.later {
		st.prove = proveNoExec
		if err := st.run(nil); err != nil {
			return fmt.Errorf("cannot finish sealing the worker: %w", err)
		}
	}
	if !slices.Contains(r.Locks, lock.Seccomp) {
		return nil // it was left out, by a test
	}
	last := step{name: lock.Seccomp, set: func(*state) error { return filters.Install() }, prove: proveLast}
	if err := last.run(nil); err != nil {
		return fmt.Errorf("cannot finish sealing the worker: %w", err)
	}
	return nil
}

// proveNoExec tries to make a written page executable. To map one that is both
// is what the first filter kills for.
func proveNoExec(*state) error {
	page, err := anonymous(unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	defer unix.Munmap(page)
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC); err != unix.EACCES {
		return fmt.Errorf("making a written page executable gives %w, want EACCES", orSuccess(err))
	}
	return nil
}

// proveLast makes the one call that the filters of Finish answer otherwise than
// those of Enter.
func proveLast(*state) error {
	if err := clone3(); err != unix.EPERM {
		return fmt.Errorf("clone3 gives %w, want EPERM", orSuccess(err))
	}
	return nil
}
