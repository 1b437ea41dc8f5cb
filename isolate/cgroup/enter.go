package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Enter moves the calling thread alone into the group's version 1 hierarchies,
// so that a process which it starts is born there. The caller has locked its
// goroutine to the thread, and calls leave, which moves the thread back, from
// the same goroutine. If leave fails the thread is spoilt: the goroutine must
// then end without unlocking it.
//
// The reason is time. Moving another process waits for an RCU grace period,
// 7 ms on a machine at rest; a thread that moves itself does not. This process's
// own pages are not charged to the group, since they are counted by process;
// the kernel's objects that the thread makes while inside are.
//
// The unified hierarchy knows no such thing: there the new process must be
// moved, with Add. Entered says which hierarchies Enter covers.
func (g *Group) Enter() (leave func() error, err error) {
	doors, err := g.doors()
	if err != nil {
		return nil, fmt.Errorf("cannot enter control group: %w", err)
	}
	leave = func() error {
		var errs []error
		for _, d := range doors {
			_, err := d.out.WriteString("0")
			errs = append(errs, err, d.close())
		}
		return errors.Join(errs...)
	}
	for _, d := range doors {
		if _, err := d.in.WriteString("0"); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot enter control group: %w", err), leave())
		}
	}
	return leave, nil
}

// door is the way into one hierarchy's group and out of it: both "tasks" files.
// They are opened before the first step, since inside even opening a file may
// fail: the kernel's memory for it is charged to the group.
type door struct{ in, out *os.File }

func (d door) close() error { return errors.Join(d.in.Close(), d.out.Close()) }

func (g *Group) doors() (doors []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				d.close()
			}
		}
	}()
	for _, h := range g.Entered() {
		in, err := os.OpenFile(filepath.Join(g.dirs[h], "tasks"), os.O_WRONLY, 0)
		if err != nil {
			return doors, err
		}
		out, err := os.OpenFile(filepath.Join(g.l.own[h], "tasks"), os.O_WRONLY, 0)
		if err != nil {
			return doors, errors.Join(err, in.Close())
		}
		doors = append(doors, door{in, out})
	}
	return doors, nil
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
