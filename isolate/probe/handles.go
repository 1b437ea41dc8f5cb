package probe

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var handles = []feature{
	{"kernel", "pidfd", false, "watching and ending a worker without mistaking another process for it", "Linux 5.3", tryPidfd},
	{"kernel", "sealed memory files", false, "packages that nobody can change once they are checked", "CONFIG_MEMFD_CREATE=y", trySeals},
	{"kernel", "close_range", false, "closing what a worker should not inherit", "Linux 5.9", tryCloseRange},
	{"kernel", "peer credentials", false, "knowing who calls on the control socket", "Linux 4.13", tryPeer},
}

func tryPidfd(context.Context, Options) finding {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return absent(err.Error())
	}
	defer unix.Close(fd)
	return result(unix.PidfdSendSignal(fd, 0, nil, 0), "can be opened and signalled")
}

func trySeals(context.Context, Options) finding {
	fd, err := unix.MemfdCreate("probe", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return absent(err.Error())
	}
	defer unix.Close(fd)
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL); err != nil {
		return absent(err.Error())
	}
	if _, err := unix.Write(fd, []byte{0}); !errors.Is(err, unix.EPERM) {
		return absent(fmt.Sprintf("a sealed file could be written: %v", err))
	}
	return there("refuse to be written")
}

// tryCloseRange closes one descriptor of its own.
func tryCloseRange(context.Context, Options) finding {
	fd, err := unix.MemfdCreate("probe", unix.MFD_CLOEXEC)
	if err != nil {
		return absent(err.Error())
	}
	if err := unix.CloseRange(uint(fd), uint(fd), 0); err != nil {
		unix.Close(fd)
		return absent(err.Error())
	}
	return there("works")
}

func tryPeer(context.Context, Options) finding {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return absent(err.Error())
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	if _, err := unix.GetsockoptUcred(pair[0], unix.SOL_SOCKET, unix.SO_PEERCRED); err != nil {
		return absent(err.Error())
	}
	_, err = unix.GetsockoptString(pair[0], unix.SOL_SOCKET, unix.SO_PEERGROUPS)
	if err != nil && !errors.Is(err, unix.ERANGE) { // ERANGE: there are more groups than room
		return absent(err.Error())
	}
	return there("user and groups")
}
