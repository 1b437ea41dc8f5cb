package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// origin is where this process is in the unified hierarchy, which its own moves
// change: Own's to the leaf, and Settle's. A further place of its own is made
// where the first one is, not below where the process is by then.
var origin struct {
	sync.Mutex
	dir string // the group that it was in before it moved
	now string // the group that it moved to
}

// begin makes l tell where this process began.
func (l *layout) begin() {
	origin.Lock()
	defer origin.Unlock()
	if l.unified != origin.now || origin.now == "" {
		origin.dir, origin.now = l.unified, l.unified
		if l.mode == Unified && filepath.Base(l.unified) == leaf && delegated(filepath.Dir(l.unified)) {
			origin.dir = filepath.Dir(l.unified) // another launcher of this service has been here
		}
	}
	l.unified = origin.dir
}

// delegated reports whether the children of dir are given what they need.
func delegated(dir string) bool {
	on, err := words(dir, "cgroup.subtree_control")
	return err == nil && !slices.ContainsFunc(needed, func(c string) bool { return !slices.Contains(on, c) })
}

// move moves this process to a group of the unified hierarchy.
func move(dir string) error {
	origin.Lock()
	defer origin.Unlock()
	return moveLocked(dir)
}

func moveLocked(dir string) error {
	if err := write(dir, "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	origin.now = dir
	return nil
}

// moveBack moves this process from dir, if it is still there, to where it began.
func moveBack(dir string) error {
	origin.Lock()
	defer origin.Unlock()
	if origin.now != dir {
		return nil
	}
	back := filepath.Join(origin.dir, leaf)
	if !exists(back, "cgroup.procs") {
		back = origin.dir
	}
	return moveLocked(back)
}
