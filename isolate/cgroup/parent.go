package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Parent is a place in every hierarchy that is used, below which groups are
// made. It exists as directories only once a group has been made in it.
type Parent struct {
	l     *layout
	below string // path below base, without a leading slash
	base  map[string]string
}

// Own gives the place called name below this process's own groups: what the
// host allows this process is thereby also the most its workers can have.
//
// Version 2 does not let a group hold both processes and limited children
// (cgroup-v2.rst, "No Internal Process Constraint"). So there this process
// first moves itself, and the others of its group that its service started,
// into the leaf "main" of its own group. Where that group is not its own to
// change (it holds a login session, say) the place is at the hierarchy's top.
func Own(name string) (*Parent, error) {
	l, err := detect()
	if err != nil {
		return nil, err
	}
	l.begin()
	p := &Parent{l: l, below: clean(name), base: l.bases(l.unified)}
	if l.mode != Unified {
		return p, nil
	}
	if err := delegate(l.unified); err == nil {
		return p, nil
	}
	p.base = l.bases(l.top)
	return p, delegate(l.top)
}

// At gives the place path, counted from the top of every hierarchy. It is for
// hosts where an operator has set a place aside.
func At(path string) (*Parent, error) {
	l, err := detect()
	if err != nil {
		return nil, err
	}
	base := l.bases(l.top)
	for c := range l.own {
		base[c] = filepath.Join(l.root, c)
	}
	p := &Parent{l: l, below: clean(path), base: base}
	if l.mode == Unified {
		return p, delegate(l.top)
	}
	return p, nil
}

// bases gives the starting directory of each hierarchy; unified is that of
// the unified one.
func (l *layout) bases(unified string) map[string]string {
	base := map[string]string{}
	for c, dir := range l.own {
		base[c] = dir
	}
	if unified != "" {
		base[""] = unified
	}
	return base
}

// clean makes path relative, without any way up.
func clean(path string) string { return strings.TrimPrefix(filepath.Clean("/"+path), "/") }

// Child gives the place called name in p.
func (p *Parent) Child(name string) *Parent {
	return &Parent{l: p.l, base: p.base, below: filepath.Join(p.below, clean(name))}
}

// Mode says which layout the host has.
func (p *Parent) Mode() Mode { return p.l.mode }

// dir is the directory of p in one hierarchy.
func (p *Parent) dir(hierarchy string) string {
	return filepath.Join(p.base[hierarchy], p.below)
}

// Names gives the groups that exist in p, in any hierarchy.
func (p *Parent) Names() ([]string, error) {
	seen := map[string]bool{}
	var names []string
	for h := range p.base {
		entries, err := os.ReadDir(p.dir(h))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot list control groups: %w", err)
		}
		for _, e := range entries {
			if e.IsDir() && e.Name() != home && !seen[e.Name()] {
				seen[e.Name()] = true
				names = append(names, e.Name())
			}
		}
	}
	return names, nil
}

// Remove removes p and the places above it as far as they are empty, never
// what Own or At began from.
func (p *Parent) Remove() error {
	var errs []error
	if top := p.base[""]; top != "" { // whoever had settled there is dead
		os.Remove(filepath.Join(top, p.below, home))
	}
	for _, base := range p.base {
		for below := p.below; below != "" && below != "."; below = filepath.Dir(below) {
			err := os.Remove(filepath.Join(base, below))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				if !inUse(err) {
					errs = append(errs, fmt.Errorf("cannot remove control group: %w", err))
				}
				break
			}
		}
	}
	return errors.Join(errs...)
}
