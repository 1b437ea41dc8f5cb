package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// table is who is running in which slot.
type table struct {
	users users

	mu      sync.Mutex
	entries map[mp.InstanceID]*entry
	slots   []*entry       // by slot; nil where nobody is
	pids    map[int]*entry // by the pid of the worker's first process
	free    []uint32       // slots; the longest unused is taken first
}

// users are the user ids of the workers: count of them for each slot, from base.
type users struct{ base, count uint32 }

// entry is one worker, from before its start until nothing is left of it.
type entry struct {
	id      mp.InstanceID
	slot    uint32
	since   time.Time     // nothing of an earlier time is about it
	notes   *ledger       // what there is to tell of it
	started chan struct{} // closed when worker or its absence is decided
	gone    chan struct{} // closed when nothing is left of it
	worker  *isolate.Worker

	limiting sync.Mutex // over limits
	limits   mp.Limits  // as they were last set
	native   bool
	learner  *learner // nil if its system calls are not recorded
}

func newTable(slots int, u users) *table {
	t := &table{users: u, entries: map[mp.InstanceID]*entry{}, slots: make([]*entry, slots), pids: map[int]*entry{}}
	for slot := range slots {
		t.free = append(t.free, uint32(slot))
	}
	return t
}

// tick is how far the clock that the kernel stamps records with can be behind.
const tick = 20 * time.Millisecond

// reserve takes a slot for a worker called id.
func (t *table) reserve(id mp.InstanceID, notes *ledger) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.entries[id]; ok {
		return nil, fmt.Errorf("there is a worker called %s already", id)
	}
	if len(t.free) == 0 {
		return nil, fmt.Errorf("all %d slots for workers are taken", len(t.entries))
	}
	e := &entry{
		id: id, slot: t.free[0], since: time.Now().Add(-tick), notes: notes,
		started: make(chan struct{}), gone: make(chan struct{}),
	}
	t.free = t.free[1:]
	t.entries[id], t.slots[e.slot] = e, e
	return e, nil
}

// settle decides a start: w is the worker, or nil if there will be none.
func (t *table) settle(e *entry, w *isolate.Worker) {
	e.worker = w
	if w == nil {
		close(e.started)
		t.drop(e)
		return
	}
	t.mu.Lock()
	t.pids[w.Pid] = e
	t.mu.Unlock()
	close(e.started)
}

// drop forgets a worker of which nothing is left. Its slot goes to the end of
// the queue, so that a user id comes back as late as possible.
func (t *table) drop(e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, e.id)
	t.slots[e.slot] = nil
	if w := e.worker; w != nil && t.pids[w.Pid] == e {
		delete(t.pids, w.Pid)
	}
	t.free = append(t.free, e.slot)
	close(e.gone)
}

// find gives the worker called id, waiting for its start if that is under way;
// nil if there is none.
func (t *table) find(id mp.InstanceID) *entry {
	if e := t.entry(id); e != nil {
		<-e.started
	}
	return t.running(id)
}

// running gives the worker called id, nil if there is none or not yet.
func (t *table) running(id mp.InstanceID) *entry {
	e := t.entry(id)
	if e == nil {
		return nil
	}
	select {
	case <-e.started:
	default:
		return nil
	}
	if e.worker == nil {
		return nil
	}
	return e
}

func (t *table) entry(id mp.InstanceID) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entries[id]
}

// owner gives whose a user id is, nil if no worker's.
func (t *table) owner(uid uint32) *entry {
	if uid < t.users.base || t.users.count == 0 {
		return nil
	}
	slot := (uid - t.users.base) / t.users.count
	t.mu.Lock()
	defer t.mu.Unlock()
	if uint64(slot) >= uint64(len(t.slots)) {
		return nil
	}
	return t.slots[slot]
}

// process gives the worker whose first process has this pid.
func (t *table) process(pid int) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pids[pid]
}

// all gives the workers that are there. No start may be under way.
func (t *table) all() []*entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*entry
	for _, e := range t.entries {
		all = append(all, e)
	}
	return all
}
