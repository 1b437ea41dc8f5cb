package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// home is the name of the group that a process settles in.
const home = "launcher"

// Settle moves this process into a group beside those that are made in p, in
// the unified hierarchy, and leave moves it back and removes that group.
//
// A cgroup namespace shows paths as seen from the group in which its maker was
// (cgroup_namespaces(7)). In that hierarchy a worker is made by a process that
// is not in the worker's group yet: from here on its path is no more than its
// own name.
func (p *Parent) Settle() (leave func() error, err error) {
	if p.l.mode == Legacy {
		return func() error { return nil }, nil // workers are born in their groups
	}
	now, err := detect() // where it is by now: see Own
	if err == nil {
		err = p.make()
	}
	if err != nil {
		return nil, err
	}
	dir, pid := filepath.Join(p.base[""], p.below, home), strconv.Itoa(os.Getpid())
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make control group: %w", err)
	}
	if err := write(dir, "cgroup.procs", pid); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot move to control group %s: %w", dir, err), rmdir(dir))
	}
	return func() error {
		err := write(now.unified, "cgroup.procs", pid)
		if gone(err) { // it was one like this, and its user has left it
			err = write(p.l.unified, "cgroup.procs", pid)
		}
		if err != nil {
			return fmt.Errorf("cannot move back to control group %s: %w", now.unified, err)
		}
		if err := rmdir(dir); err != nil {
			return fmt.Errorf("cannot remove control group %s: %w", dir, err)
		}
		return nil
	}, nil
}
