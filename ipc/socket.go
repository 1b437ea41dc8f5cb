package ipc

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Pair makes the socket of a channel: one end for New, one for the worker.
// Both are close-on-exec and do not block; that they do not block stays with
// an end through exec (socketpair(2), fcntl(2)).
func Pair() (ours, theirs *os.File, err error) {
	fd, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a socket pair: %w", err)
	}
	return os.NewFile(uintptr(fd[0]), "channel"), os.NewFile(uintptr(fd[1]), "channel (worker's end)"), nil
}

// File wraps an inherited descriptor for New, so that Go's poller waits for it.
func File(fd int) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("cannot use descriptor %d as a channel: %w", fd, err)
	}
	return os.NewFile(uintptr(fd), "channel"), nil
}

// bufferSize holds one frame of the largest size, and many small ones.
const bufferSize = 72 << 10

// buffers are lent for as long as they hold something: a connection that waits
// holds none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func getBuffer() *[bufferSize]byte  { return buffers.Get().(*[bufferSize]byte) }
func putBuffer(b *[bufferSize]byte) { buffers.Put(b) }

// received is what one recvmsg(2) gave.
type received struct {
	n, oobn, flags int
	err            error
}

// recvmsg reads without blocking. Descriptors that come while oob is empty are
// never installed: the kernel drops them and says MSG_CTRUNC.
func recvmsg(fd int, b, oob []byte) received {
	for {
		n, oobn, flags, _, err := unix.Recvmsg(fd, b, oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
		if err != unix.EINTR {
			return received{n, oobn, flags, err}
		}
	}
}

// sendmsg writes without blocking, and without SIGPIPE.
func sendmsg(fd int, b, oob []byte) (int, error) {
	for {
		n, err := unix.SendmsgN(fd, b, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// gone reports errors that mean that the peer's end is closed.
func gone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
