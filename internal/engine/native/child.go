package native

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// child is the program's process, the leader of a session of its own.
type child struct {
	pid    int
	ended  chan struct{}
	status syscall.WaitStatus // valid when ended is closed

	mu     sync.Mutex
	reaped bool // guarded by mu: pid may be another's
}

// watch waits for the program on a thread of its own: a call that the kernel
// wakes, with no signal between, misses nobody.
func watch(pid int) *child {
	c := &child{pid: pid, ended: make(chan struct{})}
	go c.reap()
	return c
}

// reap waits for children until the program is one of them. The kernel hands
// orphans to process 1; any other process leaves others' children alone.
// Children that are merely stopped are not waited for (wait4(2), WUNTRACED).
func (c *child) reap() {
	defer close(c.ended)
	who := c.pid
	if os.Getpid() == 1 {
		who = -1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(who, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil: // cannot happen: nobody else waits for it
			c.gone(0)
			return
		case pid == c.pid:
			c.gone(status)
			return
		}
	}
}

func (c *child) gone(status syscall.WaitStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.reaped = status, true
}

// signal goes to the program's process group.
func (c *child) signal(s syscall.Signal) error {
	if c == nil {
		return errNotLoaded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return mp.ErrEnded
	}
	if err := syscall.Kill(-c.pid, s); err != nil {
		return fmt.Errorf("cannot send signal %d: %w", int(s), err)
	}
	return nil
}

// exit says how the program ended.
func (c *child) exit() *engine.Exit {
	if c.status.Signaled() {
		return &engine.Exit{Exit: mp.Exit{Cause: mp.CauseSignal, Signal: int(c.status.Signal())}}
	}
	return &engine.Exit{Exit: mp.Exit{Cause: mp.CauseExited, Code: c.status.ExitStatus()}}
}
