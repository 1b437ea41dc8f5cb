package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	if err := p.make(); err != nil {
		return nil, err
	}
	dir := filepath.Join(p.base[""], p.below, home)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make control group: %w", err)
	}
	if err := move(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot move to control group %s: %w", dir, err), rmdir(dir))
	}
	return func() error {
		if err := moveBack(dir); err != nil {
			return fmt.Errorf("cannot move back from control group %s: %w", dir, err)
		}
		if err := rmdir(dir); err != nil {
			return fmt.Errorf("cannot remove control group %s: %w", dir, err)
		}
		return nil
	}, nil
}
