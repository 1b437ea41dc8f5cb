package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sample reads what the group uses now. It is made to be called for every group
// each second: eight or nine small files, three system calls each and no more.
// The kernel adds the group's counters up when they are read, which is most of
// what it costs.
func (g *Group) Sample() (Sample, error) {
	s := samplers.Get().(*sampler)
	defer samplers.Put(s)
	s.dirs, s.err = g.dirs, nil
	var out Sample
	if g.l.mode == Unified {
		out = s.sample2()
	} else {
		out = s.sample1()
	}
	out.Frozen = s.frozen(g.l.mode)
	if s.err != nil {
		return Sample{}, fmt.Errorf("cannot read control group: %w", s.err)
	}
	return out, nil
}

// pageSize is what memory.stat counts some things in.
var pageSize = uint64(os.Getpagesize())

func (s *sampler) sample1() Sample {
	var out Sample
	out.CPU = time.Duration(s.number("cpuacct", "cpuacct.usage"))
	out.Memory = s.number("memory", "memory.usage_in_bytes")
	out.Peak = s.number("memory", "memory.max_usage_in_bytes")
	out.Pids = s.number("pids", "pids.current")
	s.fields("cpu", "cpu.stat", value{"nr_periods", &out.Periods}, value{"nr_throttled", &out.Throttled})
	s.fields("memory", "memory.stat", value{"total_pgfault", &out.Faults}, value{"total_pgmajfault", &out.MajorFaults})
	s.fields("memory", "memory.oom_control", value{"oom_kill", &out.OOMKills}) // since Linux 4.13
	if s.dirs[""] != "" {
		out.Stalled = s.stalled() // the kernel counts it by the unified hierarchy, whoever has the memory controller
	}
	return out
}

func (s *sampler) sample2() Sample {
	var out Sample
	var micros, steals uint64
	s.fields("", "cpu.stat", value{"usage_usec", &micros}, value{"nr_periods", &out.Periods}, value{"nr_throttled", &out.Throttled})
	out.CPU = time.Duration(micros) * time.Microsecond
	out.Memory = s.number("", "memory.current")
	if b, ok := s.optional("", "memory.peak"); ok { // since Linux 5.19
		out.Peak = s.parse("memory.peak", b)
	}
	out.Pids = s.number("", "pids.current")
	s.fields("", "memory.stat", value{"pgfault", &out.Faults}, value{"pgmajfault", &out.MajorFaults}, value{"pgsteal", &steals})
	out.Reclaimed = steals * pageSize
	s.fields("", "memory.events", value{"oom_kill", &out.OOMKills})
	out.Stalled = s.stalled()
	return out
}

// stalled reads the time in which some task waited for memory. Its line is
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", in microseconds
// (Documentation/accounting/psi.rst).
func (s *sampler) stalled() time.Duration {
	b, ok := s.optional("", "memory.pressure")
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	_, total, ok := bytes.Cut(line, []byte("total="))
	if !ok || !bytes.HasPrefix(line, []byte("some ")) {
		s.keep(fmt.Errorf("memory.pressure begins with %.80q", line))
		return 0
	}
	return time.Duration(s.parse("memory.pressure", total)) * time.Microsecond
}

func (s *sampler) frozen(m Mode) bool {
	if m == Legacy {
		return string(bytes.TrimSpace(s.read(freezer, "freezer.state"))) == "FROZEN"
	}
	var n uint64
	s.fields("", "cgroup.events", value{"frozen", &n})
	return n == 1
}

// sampler reads files into one buffer and keeps the first error. What a read
// gives is good until the next one.
type sampler struct {
	dirs map[string]string // hierarchy → directory
	buf  []byte
	err  error
}

var samplers = sync.Pool{New: func() any { return &sampler{buf: make([]byte, 16<<10)} }}

func (s *sampler) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *sampler) read(hierarchy, name string) []byte {
	b, err := s.slurp(s.dirs[hierarchy] + "/" + name)
	if err != nil {
		s.keep(err)
	}
	return b
}

// optional reads a file that not every kernel has. One that has it may still
// not tell (EOPNOTSUPP: pressure is not counted).
func (s *sampler) optional(hierarchy, name string) (_ []byte, ok bool) {
	b, err := s.slurp(s.dirs[hierarchy] + "/" + name)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, false
	}
	if err != nil {
		s.keep(err)
		return nil, false
	}
	return b, true
}

// slurp reads a file without os.File, which would have the runtime poll it.
// The kernel gives these files whole in one read if the buffer holds them.
func (s *sampler) slurp(path string) ([]byte, error) {
	fd, err := ignoringEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	n, err := ignoringEINTR(func() (int, error) { return unix.Read(fd, s.buf) })
	if err == nil && n == len(s.buf) {
		err = unix.EFBIG
	}
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return s.buf[:n], nil
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func (s *sampler) number(hierarchy, name string) uint64 {
	return s.parse(name, s.read(hierarchy, name))
}

func (s *sampler) parse(name string, b []byte) uint64 {
	n, err := parse(string(bytes.TrimSpace(b)))
	if err != nil {
		s.keep(fmt.Errorf("cannot read %s: %w", name, err))
	}
	return n
}

// value is where the number behind key goes.
type value struct {
	key string
	to  *uint64
}

// fields reads numbers out of a file of lines "key number". Each must be there.
func (s *sampler) fields(hierarchy, name string, values ...value) {
	found := 0
	for line := range bytes.Lines(s.read(hierarchy, name)) {
		key, number, _ := bytes.Cut(line, []byte(" "))
		for _, v := range values {
			if string(key) == v.key {
				*v.to = s.parse(name, number)
				found++
			}
		}
	}
	if found < len(values) {
		s.keep(fmt.Errorf("cannot read %s: it lacks one of its fields", name))
	}
}
