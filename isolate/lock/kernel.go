package lock

import "golang.org/x/sys/unix"

// InKernel reports whether the running kernel has a lock that not every one
// has: those with Info.Instead. Of all others it says yes; whether they can be
// set is found out by setting them. The kernel is asked for the lock's state,
// not to set it, so that a mistake of ours in setting it is no absence
// (PR_GET_MDWE(2const), Linux 6.3).
func InKernel(name Name) bool {
	if name != MDWE {
		return true
	}
	_, err := unix.PrctlRetInt(unix.PR_GET_MDWE, 0, 0, 0, 0)
	return err != unix.EINVAL
}
