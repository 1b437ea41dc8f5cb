package enter

import (
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
	return seccomp.Install(s.Program)
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
