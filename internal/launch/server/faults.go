package server

import (
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// faults learns of processes that a bad access or instruction ended. The
// kernel's log tells all about it but whose the process was, and it tells late,
// at the next tick of the clock: by then a process that was short lived is gone,
// and its number may be another's. So the process connector tells, at once, of
// each death by such a signal; whose it was can be seen then, from its user id
// or its parent's, and is remembered until the log comes. Of a death of which
// the log says nothing the class is unknown.
type faults struct {
	log   *slog.Logger
	kmsg  *kmsg
	table *table

	once   sync.Once
	mu     sync.Mutex
	deaths *deaths // nil before mourn, or without it
	dead   [256]sighting
	next   int // of dead
	lines  [16]waiting
	last   int // of lines
}

// sighting is a thread that dies, and whose it is: nil if no worker's.
type sighting struct {
	death
	e    *entry
	at   time.Time
	told bool // the log has been there
}

// waiting is a line of the log whose thread has not been seen dying. The two
// come out of the kernel independently.
type waiting struct {
	line
	until time.Time
}

// lineWait is how long one waits for the other. A tick is 10 ms at most.
const lineWait = 100 * time.Millisecond

// watch begins to follow the kernel's log.
func watch(log *slog.Logger, t *table) *faults {
	f := &faults{log: log, table: t}
	f.kmsg = follow(log, f.take)
	return f
}

// mourn begins to hear of deaths, if it has not begun: when there is a worker
// with processes besides itself.
func (f *faults) mourn() {
	f.once.Do(func() {
		d, err := mourn()
		if err == nil {
			err = d.run(f.log, f.see)
		}
		if err != nil {
			f.log.Warn("cannot hear of processes that die (the process connector): a fault of one that is gone at once is not told", "err", err)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.deaths = d
	})
}

// hears reports whether anything is told of faults at all.
func (f *faults) hears() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kmsg.f != nil || f.deaths != nil
}

func (f *faults) close() {
	f.kmsg.close()
	f.mu.Lock()
	d := f.deaths
	f.mu.Unlock()
	// Without the lock: this waits for the reader, which may be waiting for it.
	if d != nil {
		d.close()
	}
}

// see takes one message of the process connector.
func (f *faults) see(b []byte) {
	d, ok := parseDeath(b)
	if !ok {
		return
	}
	if d.signal != 0 {
		f.ended(d)
		return
	}
	s := sighting{death: d, e: f.whose(d)}
	if l, waited := f.remember(&s); waited && s.e != nil {
		s.e.notes.add(l.notice(s))
	}
}

// remember notes a sighting, and gives the line that waited for it, if one did.
func (f *faults) remember(s *sighting) (l line, waited bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, w := range f.lines {
		if w.tid == s.tid && time.Now().Before(w.until) {
			f.lines[i] = waiting{}
			l, waited, s.told = w.line, true, true
		}
	}
	// The line may have been first, and its process still been there to see.
	if old := f.find(func(o *sighting) bool { return o.tid == s.tid }); old != nil && old.told && time.Since(old.at) < lineWait {
		s.told = true
	}
	f.note(*s)
	return l, waited
}

// note puts a sighting in the place of the oldest. The lock is held.
func (f *faults) note(s sighting) {
	s.at = time.Now()
	f.dead[f.next] = s
	f.next = (f.next + 1) % len(f.dead)
}

// ended takes the end of a process by a fault's signal. If the log stays silent
// about it (the kernel says no more than so much, and of SIGBUS nothing), then
// that is all that is known.
func (f *faults) ended(d death) {
	s := sighting{death: d, e: f.whose(d)}
	if begun, ok := f.process(d.pid); ok {
		s.e = begun.e
	}
	if s.e == nil {
		return
	}
	time.AfterFunc(lineWait, func() {
		if begun, ok := f.process(d.pid); !ok || !begun.told {
			s.e.notes.add(line{signal: int(d.signal), class: mp.FaultUnknown}.notice(s))
		}
	})
}

// process gives the latest sighting of a process.
func (f *faults) process(pid int) (sighting, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.find(func(s *sighting) bool { return s.pid == pid }); s != nil {
		return *s, true
	}
	return sighting{}, false
}

// find gives the latest sighting that is the right one. The lock is held.
func (f *faults) find(right func(*sighting) bool) *sighting {
	for i := range f.dead {
		if s := &f.dead[(f.next-1-i+2*len(f.dead))%len(f.dead)]; right(s) {
			return s
		}
	}
	return nil
}

// whose finds the worker of a dying process, which may be gone by now; its
// parent is there, and of the same worker unless it is the launcher.
func (f *faults) whose(d death) *entry {
	for _, pid := range []int{d.pid, d.parent} {
		if e := f.table.process(pid); e != nil {
			return e
		}
	}
	for _, pid := range []int{d.pid, d.parent} {
		if e := f.byUser(pid); e != nil {
			return e
		}
	}
	return nil
}

// byUser finds a worker by the user of a process, whom the process's directory
// belongs to (proc_pid(5)).
func (f *faults) byUser(pid int) *entry {
	var st syscall.Stat_t
	if syscall.Stat(fmt.Sprintf("/proc/%d", pid), &st) != nil {
		return nil
	}
	return f.table.owner(st.Uid)
}

// take takes one line of the kernel's log.
func (f *faults) take(text string) {
	l, ok := parseLine(text)
	if !ok {
		return
	}
	if s := f.seen(l); s.e != nil {
		s.e.notes.add(l.notice(s))
	}
}

// seen finds out whose a line is, or keeps it until its thread is seen.
func (f *faults) seen(l line) sighting {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.find(func(s *sighting) bool { return s.tid == l.tid }); s != nil {
		s.told = true
		return *s
	}
	s := sighting{death: death{tid: l.tid, pid: l.tid}}
	if s.e = f.table.process(l.tid); s.e == nil {
		s.e = f.byUser(l.tid)
	}
	if s.e != nil {
		s.told = true
		f.note(s)
		return s
	}
	f.lines[f.last] = waiting{l, time.Now().Add(lineWait)}
	f.last = (f.last + 1) % len(f.lines)
	return s
}

func (l line) notice(s sighting) launch.Notice {
	return launch.Notice{Fault: &launch.Fault{
		ID: s.e.id, Pid: s.pid, Command: l.command, Signal: l.signal,
		Class: l.class, Address: l.address, IP: l.ip,
	}}
}
