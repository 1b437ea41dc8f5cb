package cgroup

import (
	"fmt"
	"time"
)

// Stat reads what the group has used. The files are read by themselves and not
// through the library, which reads many more of them, each on a goroutine.
func (g *Group) Stat() (Usage, error) {
	stat := g.stat1
	if g.l.mode == Unified {
		stat = g.stat2
	}
	u, err := stat()
	if err != nil {
		return Usage{}, fmt.Errorf("cannot read control group: %w", err)
	}
	return u, nil
}

// Limits reads the limits back from the kernel. A limit that is not set is 0.
func (g *Group) Limits() (Limits, error) {
	read := g.limits1
	if g.l.mode == Unified {
		read = g.limits2
	}
	l, err := read()
	if err != nil {
		return Limits{}, fmt.Errorf("cannot read control group: %w", err)
	}
	return l, nil
}

// reader reads several files and keeps the first error.
type reader struct {
	dirs map[string]string
	err  error
}

func (r *reader) number(hierarchy, name string) uint64 {
	n, err := number(r.dirs[hierarchy], name)
	return r.keep(n, err)
}

func (r *reader) field(hierarchy, name, key string) uint64 {
	n, err := field(r.dirs[hierarchy], name, key)
	return r.keep(n, err)
}

func (r *reader) keep(n uint64, err error) uint64 {
	if r.err == nil {
		r.err = err
	}
	return n
}

func (g *Group) stat1() (Usage, error) {
	r := reader{dirs: g.dirs}
	u := Usage{
		CPU:       time.Duration(r.number("cpuacct", "cpuacct.usage")),
		Memory:    r.number("memory", "memory.usage_in_bytes"),
		Peak:      r.number("memory", "memory.max_usage_in_bytes"),
		Pids:      r.number("pids", "pids.current"),
		Throttled: r.field("cpu", "cpu.stat", "nr_throttled"),
		OOMKills:  r.field("memory", "memory.oom_control", "oom_kill"), // since Linux 4.13
	}
	return u, r.err
}

func (g *Group) stat2() (Usage, error) {
	r := reader{dirs: g.dirs}
	u := Usage{
		CPU:       time.Duration(r.field("", "cpu.stat", "usage_usec")) * time.Microsecond,
		Memory:    r.number("", "memory.current"),
		Pids:      r.number("", "pids.current"),
		Throttled: r.field("", "cpu.stat", "nr_throttled"),
		OOMKills:  r.field("", "memory.events", "oom_kill"),
	}
	if exists(g.dirs[""], "memory.peak") { // since Linux 5.19
		u.Peak = r.number("", "memory.peak")
	}
	return u, r.err
}

// unlimited1 is where version 1 begins to mean "no limit": it rounds the
// largest number down to whole pages.
const unlimited1 = 1 << 62

func (g *Group) limits1() (Limits, error) {
	r := reader{dirs: g.dirs}
	memory := r.number("memory", "memory.limit_in_bytes")
	if exists(g.dirs["memory"], "memory.memsw.limit_in_bytes") {
		// What counts is the looser of the two: memory that may go to swap is had.
		memory = max(memory, r.number("memory", "memory.memsw.limit_in_bytes"))
	}
	pids := r.number("pids", "pids.max")
	us := r.number("cpu", "cpu.cfs_period_us")
	quota, err := words(g.dirs["cpu"], "cpu.cfs_quota_us")
	r.keep(0, err)
	if r.err != nil {
		return Limits{}, r.err
	}
	return limitsOf(memory, pids, quota[0], us), nil
}

func (g *Group) limits2() (Limits, error) {
	r := reader{dirs: g.dirs}
	memory := r.number("", "memory.max")
	if exists(g.dirs[""], "memory.swap.max") {
		memory = sum(memory, r.number("", "memory.swap.max"))
	}
	pids := r.number("", "pids.max")
	quota, err := words(g.dirs[""], "cpu.max")
	r.keep(0, err)
	if r.err != nil {
		return Limits{}, r.err
	}
	us, err := parse(quota[1])
	return limitsOf(memory, pids, quota[0], us), err
}

// limitsOf puts together what the kernel's files say; -1 and "max" are no quota.
func limitsOf(memory, pids uint64, quota string, us uint64) Limits {
	var l Limits
	if memory < unlimited1 {
		l.Memory = int64(memory)
	}
	if pids < unlimited1 {
		l.Pids = int64(pids)
	}
	if q, err := parse(quota); err == nil && us > 0 {
		l.CPU = float64(q) / float64(us)
	}
	return l
}

// sum adds two sizes; the largest number stands for "no limit" and stays it.
func sum(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return 1<<64 - 1
}
