package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Freeze stops every task of the group until Thaw. It returns when all have
// stopped, or thaws them again when ctx ends first: a task in an
// uninterruptible system call may take long.
//
// Freeze only a worker that is ready. On version 1 alone a freeze that meets
// an execve of the group never ends.
func (g *Group) Freeze(ctx context.Context) error {
	if err := g.freeze(ctx, true); err != nil {
		err = fmt.Errorf("cannot freeze control group: %w", err)
		return errors.Join(err, g.Thaw(context.WithoutCancel(ctx)))
	}
	return nil
}

// Thaw lets the tasks of the group go on.
func (g *Group) Thaw(ctx context.Context) error {
	if err := g.freeze(ctx, false); err != nil {
		return fmt.Errorf("cannot thaw control group: %w", err)
	}
	return nil
}

// Frozen reports whether every task of the group has stopped.
func (g *Group) Frozen() (bool, error) {
	if g.l.mode == Legacy {
		state, err := words(g.dirs[freezer], "freezer.state")
		return err == nil && state[0] == "FROZEN", err
	}
	n, err := field(g.dirs[""], "cgroup.events", "frozen")
	return n == 1, err
}

func (g *Group) freeze(ctx context.Context, on bool) error {
	if err := g.order(on); err != nil {
		return err
	}
	if g.l.mode == Legacy {
		return g.poll(ctx, func() (bool, error) {
			frozen, err := g.Frozen()
			return frozen == on, errors.Join(err, g.order(on)) // the kernel looks again when told again
		})
	}
	return g.await(ctx, "frozen", flag(on))
}

// order writes the wanted state.
func (g *Group) order(on bool) error {
	if g.l.mode == Legacy {
		return write(g.dirs[freezer], "freezer.state", map[bool]string{true: "FROZEN", false: "THAWED"}[on])
	}
	return write(g.dirs[""], "cgroup.freeze", fmt.Sprint(flag(on)))
}

func flag(on bool) uint64 {
	if on {
		return 1
	}
	return 0
}

// await waits until key in cgroup.events has the value want. The kernel
// signals each change of that file with POLLPRI (cgroup-v2.rst).
func (g *Group) await(ctx context.Context, key string, want uint64) error {
	f, err := os.Open(filepath.Join(g.dirs[""], "cgroup.events"))
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		// Read before each wait: a change between the two is then not missed,
		// because poll compares with the state at the last read.
		n, err := field(g.dirs[""], "cgroup.events", key)
		if err != nil || n == want {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var b [128]byte
		f.ReadAt(b[:], 0)
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, 10); err != nil && err != unix.EINTR {
			return err
		}
	}
}

// poll asks done every few milliseconds until it says so or ctx ends.
func (g *Group) poll(ctx context.Context, done func() (bool, error)) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
