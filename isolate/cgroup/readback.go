package cgroup

import "fmt"

// Limits reads the limits back from the kernel. A limit that is not set is 0;
// a weight is 100 where none was asked for, and 0 where nothing weighs. Of an
// io rate, it is the lowest of any disk.
func (g *Group) Limits() (Limits, error) {
	read := g.limits1
	if g.l.mode == Unified {
		read = g.limits2
	}
	l, err := read()
	if err == nil {
		l.IORate, err = g.ioRate()
	}
	if err == nil {
		l.IOWeight, err = g.ioWeight()
	}
	if err != nil {
		return Limits{}, fmt.Errorf("cannot read control group: %w", err)
	}
	return l, nil
}

// unlimited1 is where version 1 begins to mean "no limit": it rounds the
// largest number down to whole pages.
const unlimited1 = 1 << 62

// reader reads several files and keeps the first error.
type reader struct {
	dirs map[string]string
	err  error
}

func (r *reader) number(hierarchy, name string) uint64 {
	n, err := number(r.dirs[hierarchy], name)
	r.keep(err)
	return n
}

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

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
	r.keep(err)
	if r.err != nil {
		return Limits{}, r.err
	}
	l := limitsOf(memory, r.number("memory", "memory.soft_limit_in_bytes"), pids, quota[0], us)
	l.CPUWeight = weight(r.number("cpu", "cpu.shares"))
	return l, r.err
}

func (g *Group) limits2() (Limits, error) {
	r := reader{dirs: g.dirs}
	memory := r.number("", "memory.max")
	if exists(g.dirs[""], "memory.swap.max") {
		memory = sum(memory, r.number("", "memory.swap.max"))
	}
	pids := r.number("", "pids.max")
	quota, err := words(g.dirs[""], "cpu.max")
	r.keep(err)
	if r.err != nil {
		return Limits{}, r.err
	}
	us, err := parse(quota[1])
	r.keep(err)
	l := limitsOf(memory, r.number("", "memory.high"), pids, quota[0], us)
	l.CPUWeight = int64(r.number("", "cpu.weight"))
	return l, r.err
}

// limitsOf puts together what the kernel's files say; -1 and "max" are no quota.
func limitsOf(memory, soft, pids uint64, quota string, us uint64) Limits {
	var l Limits
	if memory < unlimited1 {
		l.Memory = int64(memory)
	}
	if soft < unlimited1 {
		l.MemorySoft = int64(soft)
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
