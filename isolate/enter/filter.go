package enter

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

func setSeccomp(s *state) error {
	if s.Learn {
		return setLearning(s)
	}
	// Without arguments clone3 fails in any case. Only if it fails otherwise
	// than the filter makes it does the proof prove something.
	if clone3() == unix.ENOSYS {
		return fmt.Errorf("clone3 gives ENOSYS without the filter, so that it could not be told apart")
	}
	return s.Filters.Install()
}

// proveSeccomp makes the one call that every table answers and the kernel
// would answer differently. The kernel put the filter on all threads or none.
func proveSeccomp(s *state) error {
	if s.Learn {
		return proveLearning()
	}
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

// setLearning installs a filter that asks, and closes the listener, which the
// kernel puts at the lowest free descriptor. From the installation on this
// process is held at each call until somebody answers, and nobody can without
// having taken the listener: so once it is closed the other one is all there
// is, and when that is gone no call succeeds any more.
func setLearning(s *state) error {
	if len(s.Keep) == 0 {
		return errors.New("no descriptor is kept")
	}
	listener, err := unix.FcntlInt(uintptr(s.Keep[0]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("fcntl: %w", err)
	}
	unix.Close(listener)
	if err := s.Filters.Install(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(listener, &st); err != nil || st.Mode&unix.S_IFMT != 0 {
		return fmt.Errorf("descriptor %d is not the filter's listener: mode %#o, %w", listener, st.Mode, orSuccess(err))
	}
	return unix.Close(listener)
}

// proveLearning reads that there is a filter: that it asks has been seen by the
// listener. What it lets pass it does not answer itself.
func proveLearning() error {
	mode, err := prctl(unix.PR_GET_SECCOMP, 0, 0)
	if err == nil && mode != unix.SECCOMP_MODE_FILTER {
		err = fmt.Errorf("prctl reads %d", mode)
	}
	return err
}

// Narrow puts further filters on all threads of a process that has entered, for
// what it no longer needs: process 1 of a native program when it has started
// the program, which keeps the filters that it was started with.
func Narrow(filters seccomp.Stack) error {
	if err := filters.Install(); err != nil {
		return fmt.Errorf("cannot narrow the worker: %w", err)
	}
	return nil
}
