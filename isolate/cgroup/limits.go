package cgroup

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// SetLimits changes the limits of the group, also while it runs, and takes away
// those that are zero. A memory limit below what is in use makes the kernel
// reclaim, and on version 1 fails with an *InUseError where that is not enough.
// It stops at the first limit that cannot be set, and names it; those before it hold.
func (g *Group) SetLimits(l Limits) error { return g.limit(l, false) }

// limit sets limits. A fresh group has none yet, so there zeros need no write.
func (g *Group) limit(l Limits, fresh bool) error {
	p := plan{group: g, fresh: fresh}
	if g.l.mode == Unified {
		p.limits2(l)
	} else {
		p.limits1(l)
	}
	if p.err != nil {
		return fmt.Errorf("cannot limit control group: %w", p.err)
	}
	for _, s := range p.settings {
		if err := write(g.dirs[s.hierarchy], s.name, s.value); err != nil {
			return fmt.Errorf("cannot limit control group: %w", g.explain(s, err))
		}
	}
	return nil
}

// InUseError refuses a limit of memory below what is in use. Version 1 does so
// when it cannot take enough back (memory.rst); version 2 ends processes.
type InUseError struct {
	Limit string // bytes
	Used  uint64 // bytes, a moment later; 0 if that could not be read
}

func (e *InUseError) Error() string {
	used := "more"
	if e.Used > 0 {
		used = fmt.Sprintf("%d bytes", e.Used)
	}
	return fmt.Sprintf("memory of %s bytes is too little: %s are in use, and the kernel could not take enough back; give a higher limit, or have the program free memory first", e.Limit, used)
}

// explain says of a refusal what the kernel means by it.
func (g *Group) explain(s setting, err error) error {
	if s.hierarchy != "memory" || !errors.Is(err, unix.EBUSY) {
		return err
	}
	used, _ := number(g.dirs["memory"], "memory.usage_in_bytes")
	return &InUseError{Limit: s.value, Used: used}
}

// setting is a file of the group and what is to be written into it.
type setting struct{ hierarchy, name, value string }

// plan is what limits come to: it is put together first, and written then.
type plan struct {
	group    *Group
	fresh    bool
	settings []setting
	err      error
}

// set plans to write value, or none where value is not above zero.
func (p *plan) set(hierarchy, name string, value int64, none string) {
	if value > 0 {
		p.write(hierarchy, name, strconv.FormatInt(value, 10))
	} else {
		p.clear(hierarchy, name, none)
	}
}

// clear plans to take a limit away, if there can be one.
func (p *plan) clear(hierarchy, name, none string) {
	if !p.fresh {
		p.write(hierarchy, name, none)
	}
}

func (p *plan) write(hierarchy, name, value string) {
	p.settings = append(p.settings, setting{hierarchy, name, value})
}

// has reports whether the group has a file of that name.
func (p *plan) has(hierarchy, name string) bool {
	dir, ok := p.group.dirs[hierarchy]
	return ok && exists(dir, name)
}

func (p *plan) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// limits2 is for version 2. All files are described in cgroup-v2.rst.
func (p *plan) limits2(l Limits) {
	if p.has("", "memory.swap.max") { // not without CONFIG_SWAP
		if l.Memory > 0 {
			p.write("", "memory.swap.max", "0")
		} else {
			p.clear("", "memory.swap.max", "max")
		}
	}
	p.set("", "memory.max", l.Memory, "max")
	p.set("", "memory.high", l.MemorySoft, "max")
	if l.Memory > 0 {
		p.write("", "memory.oom.group", "1") // a worker is one thing: half of one would hang its callers
	}
	p.set("", "pids.max", l.Pids, "max")
	if l.CPU > 0 {
		p.write("", "cpu.max", fmt.Sprintf("%d %d", l.quota(), period.Microseconds()))
	} else {
		p.clear("", "cpu.max", "max")
	}
	p.set("", "cpu.weight", l.CPUWeight, strconv.Itoa(usual))
	p.io2(l)
}

// limits1 is for the version 1 hierarchies. The files are described in
// cgroup-v1/memory.rst and pids.rst, and in scheduler/sched-bwc.rst.
func (p *plan) limits1(l Limits) {
	p.memory1(l.Memory)
	p.set("memory", "memory.soft_limit_in_bytes", l.MemorySoft, "-1")
	p.set("pids", "pids.max", l.Pids, "max")
	if l.CPU > 0 {
		p.write("cpu", "cpu.cfs_period_us", strconv.FormatInt(period.Microseconds(), 10))
		p.write("cpu", "cpu.cfs_quota_us", strconv.FormatInt(l.quota(), 10))
	} else {
		p.clear("cpu", "cpu.cfs_quota_us", "-1")
	}
	p.set("cpu", "cpu.shares", shares(l.CPUWeight), strconv.FormatInt(shares(usual), 10))
	p.io1(l)
}

// memory1 limits memory, and memory and swap together to the same. The second
// may never be below the first, so which of them goes first depends on the
// direction.
func (p *plan) memory1(limit int64) {
	const alone, both = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
	if limit == 0 && p.fresh {
		return
	}
	counted, err := p.group.swapCounted()
	if err != nil {
		p.fail(err)
		return
	}
	if !counted {
		p.set("memory", alone, limit, "-1")
		return
	}
	now, err := number(p.group.dirs["memory"], alone)
	if err != nil {
		p.fail(err)
		return
	}
	order := []string{alone, both}
	if limit == 0 || now < uint64(limit) {
		slices.Reverse(order)
	}
	for _, name := range order {
		p.set("memory", name, limit, "-1")
	}
	if limit > 0 && p.has("memory", "memory.swappiness") {
		p.write("memory", "memory.swappiness", "0")
	}
}

// usual is the weight of a group that asks for none.
const usual = 100

// shares gives a weight in version 1's measure, in which 1024 is usual. Each
// weight has shares of its own, so weight gives it back.
func shares(weight int64) int64 { return (weight*1024 + usual/2) / usual }

// weight gives the weight that shares stand for.
func weight(shares uint64) int64 { return int64((min(shares, 1<<32)*usual + 512) / 1024) }
