package enter

import (
	"errors"

	"golang.org/x/sys/unix"
)

// lastCapability is the highest that a 64-bit set can hold. Numbers that the
// kernel does not have are in no set.
const lastCapability = 63

// errSuccess stands in a message where an error was wanted and none came.
var errSuccess = errors.New("success")

func orSuccess(err error) error {
	if err == nil {
		return errSuccess
	}
	return err
}

// prctl is the system call with its result, on this thread.
func prctl(option int, a2, a3 uintptr) (uintptr, error) {
	r, _, errno := unix.Syscall6(unix.SYS_PRCTL, uintptr(option), a2, a3, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}

// inBoundingSet reports whether the kernel has the capability and this thread
// may ever gain it.
func inBoundingSet(capability uintptr) bool {
	set, err := prctl(unix.PR_CAPBSET_READ, capability, 0)
	return err == nil && set == 1
}
