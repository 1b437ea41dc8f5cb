package cgroup

import (
	"errors"
	"fmt"
	"runtime"
)

// Enter moves the calling thread alone into the group's version 1 hierarchies,
// so that a process which it starts is born there. The caller has locked its
// goroutine to the thread, and calls leave, which moves the thread back, from
// the same goroutine. If leave fails the thread is spoilt: the goroutine must
// then end without unlocking it.
//
// The reason is time. Moving another process waits for an RCU grace period,
// 7 ms on a machine at rest; a thread that moves itself does not. Memory is
// charged by process, so nothing of this process is charged to the group.
//
// The unified hierarchy knows no such thing: there the new process must be
// moved, with Add. Entered says which hierarchies Enter covers.
func (g *Group) Enter() (leave func() error, err error) {
	undo := func() error { return nil }
	for _, h := range g.Entered() {
		home := g.l.own[h]
		if err := write(g.dirs[h], "tasks", "0"); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot enter control group: %w", err), undo())
		}
		before := undo
		undo = func() error { return errors.Join(write(home, "tasks", "0"), before()) }
	}
	return undo, nil
}

// Entered gives the hierarchies that Enter moves a thread in.
func (g *Group) Entered() []string {
	if g.l.mode == Unified {
		return nil
	}
	var out []string
	for _, h := range g.hierarchies() {
		if h != "" {
			out = append(out, h)
		}
	}
	return out
}

// Inside runs start on a thread of its own that is in the group, and brings
// the thread home again.
func (g *Group) Inside(start func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		leave, err := g.Enter()
		if err != nil {
			done <- err
			return // ends the thread, wherever it is
		}
		err = start()
		if back := leave(); back != nil {
			done <- errors.Join(err, fmt.Errorf("cannot leave control group: %w", back))
			return // ends the thread: it must not serve another goroutine from in there
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
