package escape

import "golang.org/x/sys/unix"

// kernelHas reports whether the kernel has what a row needs.
func kernelHas(what string) bool {
	switch what {
	case "landlock's TCP rights":
		return landlock(unix.LANDLOCK_CREATE_RULESET_VERSION) >= 4
	case signalScope:
		const signalThreads = 1 << 1 // erratum 2 of ABI 6
		return landlock(unix.LANDLOCK_CREATE_RULESET_VERSION) >= 6 && landlock(unix.LANDLOCK_CREATE_RULESET_ERRATA)&signalThreads != 0
	case "vsock":
		fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err == nil
	}
	return false
}

// landlock asks the kernel for a number about its Landlock, 0 if it has none.
func landlock(flag uintptr) int {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, flag)
	if errno != 0 {
		return 0
	}
	return int(n)
}
