package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/verify"
	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"
)

// Worker is a running worker. Its exported fields do not change.
type Worker struct {
	ID        string
	Slot      uint32
	UID       uint32 // its user id on the host
	Pid       int    // on the host; inside it is 1
	StartTime uint64 // field 22 of /proc/PID/stat: with Pid, the process's identity for ever
	Pidfd     *os.File
	Policy    Policy
	Group     *cgroup.Group

	subject verify.Subject // with the limits as they were last set
	limited sync.Mutex     // over subject.Limits

	proc   *libcontainer.Process
	state  string
	strip  func() error  // takes the root of a native program away; else nil
	tmp    string        // where this process sees the /tmp of a native program; "" if there is none
	joined chan struct{} // closed when it is in all its control groups
	failed error         // why it is not
}

// Ended says how a worker ended, as the kernel told it.
type Ended struct {
	Code   int            // if it exited
	Signal syscall.Signal // if a signal ended it, else 0
	Usage  cgroup.Usage   // up to the end
}

// OOM reports whether the memory limit ended any of its processes. A program that
// has several may go on without one.
func (e Ended) OOM() bool { return e.Usage.OOMKills > 0 }

// identify reads who the new process is. It is our child and not yet waited
// for, so its pid cannot mean another process.
func (w *Worker) identify(p *libcontainer.Process) (err error) {
	w.proc = p
	if w.Pid, err = p.Pid(); err != nil {
		return err
	}
	if w.StartTime, err = StartTime(w.Pid); err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(w.Pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("cannot open process: %w", err)
	}
	w.Pidfd = os.NewFile(uintptr(fd), "pidfd")
	w.subject.Pid, w.subject.StartTime = w.Pid, w.StartTime
	return nil
}

// StartTime reads when a process started, in clock ticks since boot
// (proc_pid_stat(5), field 22).
func StartTime(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read start time: %w", err)
	}
	// The second field, the name, is in parentheses and can hold anything.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("cannot read start time: /proc/%d/stat is short", pid)
	}
	return strconv.ParseUint(string(fields[22-3]), 10, 64)
}

// join moves the worker into the control groups that it was not born in. On a
// hybrid host that is the unified hierarchy, which holds no limit there: the
// start does not wait for it, Joined does. On version 2 it is the one that
// holds them all.
func (w *Worker) join() error {
	move := func() {
		defer close(w.joined)
		if err := w.Group.Add(w.Pid, ""); err != nil && !errors.Is(err, unix.ESRCH) {
			w.failed = err
		}
	}
	if w.Group.Mode() == cgroup.Hybrid {
		go move()
		return nil
	}
	move()
	return w.failed
}

// Joined waits until the worker is in all its control groups. Its locks are
// not complete before.
func (w *Worker) Joined() error {
	<-w.joined
	return w.failed
}

// SetLimits changes the worker's limits.
func (w *Worker) SetLimits(l cgroup.Limits) error {
	w.limited.Lock()
	defer w.limited.Unlock()
	if err := w.Group.SetLimits(l); err != nil {
		return err
	}
	w.subject.Limits = l
	return nil
}

// Verify reads from the kernel whether the worker's locks hold.
func (w *Worker) Verify() ([]verify.Lock, error) {
	if err := w.Joined(); err != nil {
		return nil, fmt.Errorf("worker is not in all its control groups: %w", err)
	}
	w.limited.Lock() // not only to copy: limits that change meanwhile would be found wrong
	defer w.limited.Unlock()
	return verify.Verify(w.subject)
}

// Freeze stops the worker until Thaw.
func (w *Worker) Freeze(ctx context.Context) error {
	if err := w.Joined(); err != nil {
		return err
	}
	return w.Group.Freeze(ctx)
}

// Kill ends every process of the worker. Wait tells when it has. A worker that
// has ended already is no error.
func (w *Worker) Kill() error {
	// The first process of a pid namespace takes all others with it.
	var kerr error
	err := w.control(func(fd int) { kerr = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) })
	if errors.Is(err, os.ErrClosed) || kerr == unix.ESRCH {
		return nil
	}
	if err := errors.Join(err, kerr); err != nil {
		return fmt.Errorf("cannot kill worker %s: %w", w.ID, err)
	}
	if w.Group.Mode() == cgroup.Legacy {
		return w.Group.Thaw(context.Background()) // there a frozen process does not even die
	}
	return nil
}

// control lends the pidfd to f, which Wait may be about to close.
func (w *Worker) control(f func(fd int)) error {
	raw, err := w.Pidfd.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { f(int(fd)) })
}

// Wait waits for the worker's end, then removes everything that was made for
// it. It is to be called once. The error is about what could not be removed;
// Ended is right in any case.
func (w *Worker) Wait() (Ended, error) {
	if err := w.await(); err != nil {
		return Ended{}, err
	}
	w.Joined() // or the removal of the group races with the entry into it
	state, err := w.proc.Wait()
	if state == nil {
		return Ended{}, fmt.Errorf("cannot learn how worker %s ended: %w", w.ID, err)
	}
	e := Ended{}
	switch ws := state.Sys().(syscall.WaitStatus); {
	case ws.Signaled():
		e.Signal = ws.Signal()
	default:
		e.Code = ws.ExitStatus()
	}
	e.Usage, err = w.Group.Stat()
	if w.strip != nil {
		// Before the group, which what is in /tmp was charged to.
		err = errors.Join(err, w.strip())
	}
	return e, errors.Join(err, clear(w.Group), os.RemoveAll(w.state), w.Pidfd.Close())
}

// await returns when the process has ended, without occupying a thread.
func (w *Worker) await() error {
	raw, err := w.Pidfd.SyscallConn()
	if err != nil {
		return fmt.Errorf("cannot wait for worker %s: %w", w.ID, err)
	}
	return raw.Read(func(fd uintptr) bool {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// clearFor bounds how long a group's last processes may take to die.
const clearFor = 5 * time.Second

// clear ends whatever is left in a group and removes it.
func clear(g *cgroup.Group) error {
	ctx, cancel := context.WithTimeout(context.Background(), clearFor)
	defer cancel()
	if err := g.Kill(ctx); err != nil {
		return err
	}
	return g.Delete()
}
