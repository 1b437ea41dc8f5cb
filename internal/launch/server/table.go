package server

import (
	"fmt"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// table is who is running in which slot.
type table struct {
	mu      sync.Mutex
	entries map[mp.InstanceID]*entry
	free    []uint32 // slots; the longest unused is taken first
}

// entry is one worker, from before its start until nothing is left of it.
type entry struct {
	slot    uint32
	started chan struct{} // closed when worker or its absence is decided
	gone    chan struct{} // closed when nothing is left of it
	worker  *isolate.Worker
}

func newTable(slots int) *table {
	t := &table{entries: map[mp.InstanceID]*entry{}}
	for slot := range slots {
		t.free = append(t.free, uint32(slot))
	}
	return t
}

// reserve takes a slot for a worker called id.
func (t *table) reserve(id mp.InstanceID) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.entries[id]; ok {
		return nil, fmt.Errorf("there is a worker called %s already", id)
	}
	if len(t.free) == 0 {
		return nil, fmt.Errorf("all %d slots for workers are taken", len(t.entries))
	}
	e := &entry{slot: t.free[0], started: make(chan struct{}), gone: make(chan struct{})}
	t.free = t.free[1:]
	t.entries[id] = e
	return e, nil
}

// settle decides a start: w is the worker, or nil if there will be none.
func (t *table) settle(id mp.InstanceID, e *entry, w *isolate.Worker) {
	e.worker = w
	close(e.started)
	if w == nil {
		t.drop(id, e)
	}
}

// drop forgets a worker of which nothing is left. Its slot goes to the end of
// the queue, so that a user id comes back as late as possible.
func (t *table) drop(id mp.InstanceID, e *entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.entries, id)
	t.free = append(t.free, e.slot)
	close(e.gone)
}

// find gives the worker called id, waiting for its start if that is under way;
// nil if there is none.
func (t *table) find(id mp.InstanceID) *isolate.Worker {
	t.mu.Lock()
	e, ok := t.entries[id]
	t.mu.Unlock()
	if !ok {
		return nil
	}
	<-e.started
	return e.worker
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
