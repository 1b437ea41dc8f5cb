package cgroup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/cgroups/v3"
)

// Mode says which hierarchies the host has mounted.
type Mode int

// The modes.
const (
	Legacy  Mode = iota // version 1 alone
	Hybrid              // version 1 with the controllers, version 2 beside it
	Unified             // version 2 alone
)

// String gives the name that doctor and error messages use.
func (m Mode) String() string {
	return [...]string{"v1", "hybrid", "v2"}[m]
}

// controllers of version 1 that a worker's group is made in. Accounting is a
// controller of its own there. The freezer is added where there is no unified
// hierarchy: its own way of freezing can deadlock against an execve.
var controllers = []string{"memory", "pids", "cpu", "cpuacct"}

const freezer = "freezer"

// layout is where the hierarchies are mounted and where this process is in them.
type layout struct {
	mode    Mode
	root    string            // the directory whose entries are the version 1 hierarchies
	own     map[string]string // controller → this process's group, an absolute directory
	unified string            // this process's group in the unified hierarchy, or ""
	top     string            // where the unified hierarchy is mounted, or ""
}

// detect reads the mounts and the groups of this process.
func detect() (*layout, error) {
	l := &layout{own: map[string]string{}}
	switch cgroups.Mode() {
	case cgroups.Legacy:
		l.mode = Legacy
	case cgroups.Hybrid:
		l.mode = Hybrid
	case cgroups.Unified:
		l.mode = Unified
	default:
		return nil, &MissingError{Where: "nothing is mounted on /sys/fs/cgroup"}
	}
	mounts, err := readMounts("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	// Of the process, not of the thread: a thread may be in a worker's groups
	// for the moment in which it starts that worker.
	groups, unified, err := cgroups.ParseCgroupFileUnified("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("cannot read own control groups: %w", err)
	}
	return l, l.place(mounts, groups, unified)
}

// place fills in the directories, and names the first controller that is missing.
func (l *layout) place(mounts map[string]mount, groups map[string]string, unified string) error {
	if m, ok := mounts[""]; ok && l.mode != Legacy {
		l.top, l.unified = m.point, m.dir(unified)
	}
	if l.mode == Unified {
		return nil
	}
	for _, c := range l.wanted() {
		m, ok := mounts[c]
		group, in := groups[c]
		if !ok || !in {
			return &MissingError{c, "the version 1 hierarchies"}
		}
		l.root = filepath.Dir(m.point)
		l.own[c] = filepath.Join(l.root, c, m.inside(group))
	}
	m, ok := mounts[blkio]
	group, in := groups[blkio]
	if ok && in {
		l.own[blkio] = filepath.Join(l.root, blkio, m.inside(group))
	}
	return nil
}

func (l *layout) wanted() []string {
	if l.mode == Legacy {
		return append([]string{freezer}, controllers...)
	}
	return controllers
}

// mount is one mounted hierarchy.
type mount struct {
	point string // where
	root  string // which group of the hierarchy is seen there
}

// inside gives the path of group below the mount point. In a container without
// a cgroup namespace the mount shows only a part of the hierarchy.
func (m mount) inside(group string) string {
	rel, err := filepath.Rel(m.root, group)
	if err != nil || strings.HasPrefix(rel, "..") {
		return "/" // the group is outside of what is mounted: use the top of what is
	}
	return filepath.Join("/", rel)
}

func (m mount) dir(group string) string { return filepath.Join(m.point, m.inside(group)) }

// readMounts gives the cgroup mounts by controller; "" is the unified one.
// The format is in proc_pid_mountinfo(5).
func readMounts(path string) (map[string]mount, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read mounts: %w", err)
	}
	defer f.Close()
	return parseMounts(f)
}

func parseMounts(r io.Reader) (map[string]mount, error) {
	out := map[string]mount{}
	s := bufio.NewScanner(r)
	for s.Scan() {
		before, after, ok := strings.Cut(s.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		m := mount{point: left[4], root: left[3]}
		switch right[0] {
		case "cgroup2":
			add(out, "", m)
		case "cgroup":
			for _, opt := range strings.Split(right[2], ",") {
				add(out, opt, m)
			}
		}
	}
	return out, s.Err()
}

// add keeps the first mount of a hierarchy: later ones are copies elsewhere.
func add(mounts map[string]mount, name string, m mount) {
	if _, ok := mounts[name]; !ok {
		mounts[name] = m
	}
}
