package escape

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// kernelHas reports whether the kernel has what a row needs.
func kernelHas(what string) bool {
	switch what {
	case tcpRights:
		return denies("TCP")
	case signalScope:
		return denies("signals")
	case string(lock.MDWE):
		return lock.InKernel(lock.MDWE)
	case "vsock":
		fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err == nil
	}
	return false
}

// denies reports whether this kernel's Landlock can deny something.
func denies(what string) bool {
	kernel, err := landlock.Running()
	return err == nil && !slices.Contains(kernel.Missing(), what)
}
