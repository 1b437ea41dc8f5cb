package enter

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

func setSeccomp(s *state) error {
	// Without arguments clone3 fails in any case. Only if it fails otherwise
	// than the filter makes it does the proof prove something.
	if clone3() == unix.ENOSYS {
		return fmt.Errorf("clone3 gives ENOSYS without the filter, so that it could not be told apart")
	}
	return install(s.Filters)
}

// install puts on every filter of a stack.
func install(filters seccomp.Stack) error {
	if len(filters) == 0 {
		return errors.New("there is no filter")
	}
	for _, f := range filters {
		if err := seccomp.Install(f.Program); err != nil {
			return err
		}
	}
	return nil
}

// Narrow puts further filters on all threads of a process that has entered, for
// what it no longer needs: process 1 of a native program when it has started
// the program, which keeps the filters that it was started with.
func Narrow(filters seccomp.Stack) error {
	if err := install(filters); err != nil {
		return fmt.Errorf("cannot narrow the worker: %w", err)
	}
	return nil
}

// proveSeccomp makes the one call that every table answers and the kernel
// would answer differently. The kernel put the filter on all threads or none.
func proveSeccomp(*state) error {
	if err := clone3(); err != unix.ENOSYS {
		return fmt.Errorf("clone3 gives %w, want ENOSYS", orSuccess(err))
	}
	return nil
}

// clone3 asks for nothing: the kernel gives EINVAL for the size.
func clone3() error {
	if _, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
