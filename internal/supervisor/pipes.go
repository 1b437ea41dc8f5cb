package supervisor

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// pipes are the connections to a worker: our ends, and those that the launcher
// hands to it.
type pipes struct {
	channel, birth, stderr                *os.File
	theirChannel, theirBirth, theirStderr *os.File
}

// makePipes makes all of them. Our ends do not block, so that waiting for them
// costs no thread; the worker's ends of the pipes do.
func makePipes() (p *pipes, err error) {
	p = &pipes{}
	defer func() {
		if err != nil {
			p.closeOurs()
			p.closeTheirs()
		}
	}()
	if p.channel, p.theirChannel, err = ipc.Pair(); err != nil {
		return p, err
	}
	if p.theirBirth, p.birth, err = pipe("birth", writeEnd); err != nil {
		return p, err
	}
	p.stderr, p.theirStderr, err = pipe("stderr", readEnd)
	return p, err
}

const (
	readEnd  = 0
	writeEnd = 1
)

// pipe makes a pipe whose end ours does not block.
func pipe(name string, ours int) (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("cannot make the %s pipe: %w", name, err)
	}
	err = unix.SetNonblock(fds[ours], true)
	r, w = os.NewFile(uintptr(fds[readEnd]), name), os.NewFile(uintptr(fds[writeEnd]), name)
	if err != nil {
		err = fmt.Errorf("cannot set up the %s pipe: %w", name, err)
	}
	return r, w, err
}

func (p *pipes) closeTheirs() { closeAll(p.theirChannel, p.theirBirth, p.theirStderr) }
func (p *pipes) closeOurs()   { closeAll(p.channel, p.birth, p.stderr) }

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close() // a nil file answers with an error
	}
}

// awaitDeath closes dead when the process of pidfd has ended, and closes pidfd.
// The runtime's poller waits, not a thread: a pidfd becomes readable then
// (pidfd_open(2)). A descriptor that cannot be waited for counts as no news.
func awaitDeath(pidfd *os.File, dead chan<- struct{}) {
	defer pidfd.Close()
	f, err := pollable(pidfd)
	if err != nil {
		return
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	err = raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	if err == nil {
		close(dead)
	}
}

// pollable duplicates f in the form that the runtime's poller takes.
func pollable(f *os.File) (dup *os.File, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	outer := raw.Control(func(fd uintptr) {
		var n int
		if n, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return
		}
		err = unix.SetNonblock(n, true)
		dup = os.NewFile(uintptr(n), "pidfd")
	})
	if outer != nil {
		return nil, outer
	}
	return dup, err
}
