package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Group is one worker's group: a directory of the same name in each hierarchy.
// Its methods may be called concurrently.
type Group struct {
	l    *layout
	dirs map[string]string // hierarchy → directory; "" is the unified one
	path map[string]string // the same without the mount point
	name string            // what is the same in all of them
}

// Group gives the group called name in p, whether or not it exists.
func (p *Parent) Group(name string) *Group {
	g := &Group{l: p.l, dirs: map[string]string{}, path: map[string]string{}, name: filepath.Join(p.below, clean(name))}
	for h := range p.base {
		g.dirs[h] = filepath.Join(p.dir(h), clean(name))
		g.path[h] = g.relative(h)
	}
	return g
}

// relative is the path of the group counted from where its hierarchy is mounted.
func (g *Group) relative(hierarchy string) string {
	top := g.l.top
	if hierarchy != "" {
		top = filepath.Join(g.l.root, hierarchy)
	}
	rel, err := filepath.Rel(top, g.dirs[hierarchy])
	if err != nil {
		panic("control group outside of its hierarchy") // cannot happen: the one was made from the other
	}
	return rel
}

// Create makes a group called name with these limits. It fails if the group
// exists in any hierarchy: whatever is in it is not ours. On failure nothing
// is left behind.
func (p *Parent) Create(name string, limits Limits) (_ *Group, err error) {
	g := p.Group(name)
	made := false
	defer func() {
		if err != nil && made {
			err = errors.Join(err, g.Delete())
		}
	}()
	if err := p.make(); err != nil {
		return nil, err
	}
	for _, h := range g.hierarchies() {
		if err := os.Mkdir(g.dirs[h], 0o755); err != nil {
			return nil, fmt.Errorf("cannot make control group: %w", err)
		}
		made = true
	}
	return g, g.limit(limits, true)
}

// make makes the directories of p. In version 2 each must also pass the
// controllers on to its children, from the top down.
func (p *Parent) make() error {
	for h := range p.base {
		err := p.makeIn(h)
		// Another launcher that ends removes the places that it shares with this
		// one as far as they are empty, maybe between two steps of ours.
		for tries := 0; gone(err) && tries < maxTries; tries++ {
			err = p.makeIn(h)
		}
		if err != nil {
			return fmt.Errorf("cannot make control group: %w", err)
		}
	}
	return nil
}

// maxTries is how often somebody may remove what is being made.
const maxTries = 20

// makeIn makes the directories of p in one hierarchy.
func (p *Parent) makeIn(hierarchy string) error {
	dir := p.base[hierarchy]
	for _, name := range strings.Split(p.below, "/") {
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if p.l.mode != Unified {
			continue
		}
		if err := enable(dir); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// Name is the group's path as far as it is the same in every hierarchy: that of
// its Parent, and its own name.
func (g *Group) Name() string { return g.name }

// Hierarchies gives the hierarchies that the group is in: a version 1
// controller, or "" for the unified one.
func (g *Group) Hierarchies() []string { return g.hierarchies() }

// hierarchies gives the hierarchies of the group in a fixed order.
func (g *Group) hierarchies() []string { return slices.Sorted(maps.Keys(g.dirs)) }

// Mode says which layout the host has.
func (g *Group) Mode() Mode { return g.l.mode }

// Exists reports whether the group exists in any hierarchy.
func (g *Group) Exists() bool {
	for _, dir := range g.dirs {
		if _, err := os.Stat(dir); err == nil {
			return true
		}
	}
	return false
}

// Add moves process pid, with all its threads, into the group in the given
// hierarchies, in all when none is given.
//
// On a machine at rest this waits some milliseconds for the kernel (an RCU
// grace period): see Enter for the way around.
func (g *Group) Add(pid int, hierarchies ...string) error {
	if len(hierarchies) == 0 {
		hierarchies = g.hierarchies()
	}
	for _, h := range hierarchies {
		dir, ok := g.dirs[h]
		if !ok {
			continue
		}
		if err := write(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("cannot add process %d to control group: %w", pid, err)
		}
	}
	return nil
}

// Procs gives the processes in the group in any hierarchy, by their pids here.
func (g *Group) Procs() ([]int, error) {
	var all []int
	for _, dir := range g.dirs {
		pids, err := procs(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, pids...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
