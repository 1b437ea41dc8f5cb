package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// SetLimits changes the limits of the group, also while it runs. A memory
// limit below what is in use makes the kernel reclaim, and on version 1 fails
// with EBUSY where that is not enough.
func (g *Group) SetLimits(l Limits) error {
	set := g.set1
	if g.l.mode == Unified {
		set = g.set2
	}
	if err := set(l); err != nil {
		return fmt.Errorf("cannot limit control group: %w", err)
	}
	return nil
}

// set2 sets the limits in version 2. The files are written by themselves: the
// library's version 2 half would bring a D-Bus client and an eBPF loader into
// a process that runs as root.
func (g *Group) set2(l Limits) error {
	dir := g.dirs[""]
	var errs []error
	set := func(name, value string) { errs = append(errs, write(dir, name, value)) }
	if l.Memory > 0 {
		if exists(dir, "memory.swap.max") { // not without CONFIG_SWAP
			set("memory.swap.max", "0")
		}
		set("memory.max", strconv.FormatInt(l.Memory, 10))
		set("memory.oom.group", "1") // a worker is one thing: half of one would hang its callers
	}
	if l.Pids > 0 {
		set("pids.max", strconv.FormatInt(l.Pids, 10))
	}
	if l.CPU > 0 {
		set("cpu.max", fmt.Sprintf("%d %d", l.quota(), period.Microseconds()))
	}
	return errors.Join(errs...)
}

// set1 sets the limits in the version 1 hierarchies.
func (g *Group) set1(l Limits) error {
	c, err := cgroup1.Load(g.place1, cgroup1.WithHierarchy(g.subsystems))
	if err != nil {
		return err
	}
	if l.Memory > 0 {
		if err := g.memory1(c, l.Memory); err != nil {
			return err
		}
	}
	r := &specs.LinuxResources{}
	if l.Pids > 0 {
		r.Pids = &specs.LinuxPids{Limit: &l.Pids}
	}
	if l.CPU > 0 {
		quota, us := l.quota(), uint64(period.Microseconds())
		r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &us}
	}
	return c.Update(r)
}

// memory1 limits memory, and memory and swap together to the same. The second
// may never be below the first, so which of them goes first depends on the
// direction. (The library means to do this, but swaps the wrong two.)
func (g *Group) memory1(c cgroup1.Cgroup, limit int64) error {
	steps := []specs.LinuxMemory{{Limit: &limit}, {Swap: &limit}}
	counted, err := g.swapCounted()
	if err != nil {
		return err
	}
	if !counted {
		steps = steps[:1]
	}
	now, err := number(g.dirs["memory"], "memory.limit_in_bytes")
	if err != nil {
		return err
	}
	if now < uint64(limit) {
		slices.Reverse(steps)
	}
	for _, m := range steps {
		if err := c.Update(&specs.LinuxResources{Memory: &m}); err != nil {
			return err
		}
	}
	return nil
}

// swapCounted reports whether the kernel counts swap. One that does not is safe
// only if there is no swap.
func (g *Group) swapCounted() (bool, error) {
	if exists(g.dirs["memory"], "memory.memsw.limit_in_bytes") {
		return true, nil
	}
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return false, err
	}
	if strings.Count(string(swaps), "\n") > 1 { // the first line is a heading
		return false, errors.New("this host swaps but does not count swap: boot with swapaccount=1, or swapoff -a")
	}
	return false, nil
}

// place1 gives the group's path to the library, which adds the mount point.
func (g *Group) place1(name cgroup1.Name) (string, error) {
	path, ok := g.path[string(name)]
	if !ok {
		return "", cgroup1.ErrControllerNotActive
	}
	return "/" + path, nil
}

// subsystems are the version 1 controllers that carry limits.
func (g *Group) subsystems() ([]cgroup1.Subsystem, error) {
	return []cgroup1.Subsystem{
		cgroup1.NewMemory(g.l.root),
		cgroup1.NewPids(g.l.root),
		cgroup1.NewCpu(g.l.root),
	}, nil
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}
