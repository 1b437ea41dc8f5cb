package server

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// From linux/seccomp.h; see seccomp_unotify(2).
const (
	notifyReceive = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifySend    = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
)

// question is struct seccomp_notif: a thread is held at a system call.
type question struct {
	id    uint64
	tid   uint32 // in our pid namespace
	flags uint32
	nr    int32
	arch  uint32 // AUDIT_ARCH_*
	ip    uint64
	args  [6]uint64
}

// reply is struct seccomp_notif_resp.
type reply struct {
	id    uint64
	value int64
	error int32
	flags uint32
}

// errNoListener says that a process has no filter that asks, or not yet.
var errNoListener = errors.New("no listener")

// takeListener takes over the listener of a worker's filter. Nobody but the
// worker's own code has run in it by then.
func takeListener(w *isolate.Worker) (*os.File, error) {
	dir := fmt.Sprintf("/proc/%d/fd", w.Pid)
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		target, err := os.Readlink(dir + "/" + name)
		if err == nil && target == "anon_inode:seccomp notify" {
			return copyFrom(w, name)
		}
	}
	return nil, errNoListener
}

func list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// copyFrom gives a descriptor of a worker's.
func copyFrom(w *isolate.Worker, name string) (*os.File, error) {
	var number, fd int
	if _, err := fmt.Sscan(name, &number); err != nil {
		return nil, err
	}
	raw, err := w.Pidfd.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(pidfd uintptr) { fd, err = unix.PidfdGetfd(int(pidfd), number, 0) })
	if err := errors.Join(cerr, err); err != nil {
		return nil, fmt.Errorf("cannot take the filter's listener: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.File then waits by the poller
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "listener"), nil
}

// answerAll lets every call go on that is asked about, and hands it to note
// before, until there is nobody left to ask.
func answerAll(f *os.File, note func(question)) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool {
		for {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			switch {
			case err == unix.EINTR:
			case err != nil || p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
				return true
			case n == 0:
				return false
			default:
				answerOne(fd, note)
			}
		}
	})
}

// answerOne answers one question. That it was taken back (ENOENT), since a
// signal came or the thread was killed, is no error: it is asked anew if the
// call is made anew.
func answerOne(fd uintptr, note func(question)) {
	var q question // the kernel wants it zero
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, notifyReceive, uintptr(unsafe.Pointer(&q))); errno != 0 {
		return
	}
	note(q)
	r := reply{id: q.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, notifySend, uintptr(unsafe.Pointer(&r)))
		if errno != unix.EINTR {
			return
		}
	}
}
