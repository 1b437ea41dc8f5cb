package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Kill ends every process in the group, and returns when none is left or ctx
// has ended. A group that is gone is a group without processes.
func (g *Group) Kill(ctx context.Context) error {
	if err := g.kill(ctx); err != nil && !gone(err) {
		return fmt.Errorf("cannot kill control group: %w", err)
	}
	return nil
}

// kill uses the unified hierarchy's cgroup.kill, which no fork can outrun, and
// then signals whatever the other hierarchies still hold: a process that died
// half way through its start is in some of them and not in others.
func (g *Group) kill(ctx context.Context) error {
	if dir := g.dirs[""]; dir != "" {
		if err := write(dir, "cgroup.kill", "1"); err != nil && !gone(err) { // since Linux 5.14
			return err
		}
	}
	return g.poll(ctx, func() (bool, error) {
		pids, err := g.Procs()
		if err != nil {
			return false, err
		}
		return len(pids) == 0, g.signal(pids)
	})
}

// signal sends SIGKILL. On version 1 a frozen group must be thawed, too, or the
// signal waits.
func (g *Group) signal(pids []int) error {
	var errs []error
	for _, pid := range pids {
		if pid == os.Getpid() {
			continue // a thread of ours that is starting a worker from inside the group
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
			errs = append(errs, err)
		}
	}
	if g.l.mode == Legacy && len(pids) > 0 {
		errs = append(errs, g.order(false))
	}
	return errors.Join(errs...)
}

// removeFor bounds how long Delete tries: the kernel lets go of a group a
// moment after its last process has been reaped.
const removeFor = 2 * time.Second

// Delete removes the group. There must be no process left in it.
func (g *Group) Delete() error {
	var errs []error
	for _, h := range g.hierarchies() {
		if err := rmdir(g.dirs[h]); err != nil {
			errs = append(errs, fmt.Errorf("cannot remove control group %s: %w", g.dirs[h], err))
		}
	}
	return errors.Join(errs...)
}

func rmdir(dir string) error {
	var err error
	wait := 100 * time.Microsecond
	for end := time.Now().Add(removeFor); time.Now().Before(end); wait *= 2 {
		err = unix.Rmdir(dir)
		switch err {
		case nil, unix.ENOENT:
			return nil
		case unix.EINTR:
			continue
		case unix.EBUSY:
			time.Sleep(min(wait, 50*time.Millisecond))
		default:
			return err
		}
	}
	return err
}
