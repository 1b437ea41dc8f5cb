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
		return makes(unix.AF_VSOCK, unix.SOCK_STREAM)
	case "af_alg":
		return makes(unix.AF_ALG, unix.SOCK_SEQPACKET)
	}
	return false
}

// makes reports whether the kernel has a family of sockets.
func makes(family, kind int) bool {
	fd, err := unix.Socket(family, kind, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// denies reports whether this kernel's Landlock can deny something.
func denies(what string) bool {
	kernel, err := landlock.Running()
	return err == nil && !slices.Contains(kernel.Missing(), what)
}
