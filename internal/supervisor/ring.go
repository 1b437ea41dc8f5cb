package supervisor

import (
	"context"
	"sync"
)

// ring keeps the latest entries within a number and a size. Readers pull by
// sequence number at their own pace and are told how many entries they were
// too slow for, so a slow reader costs nothing.
type ring[T any] struct {
	maxLen, maxSize int

	mu      sync.Mutex
	entries []sized[T]
	first   uint64 // sequence number of entries[0]; the first ever is 0
	size    int
	closed  bool
	changed chan struct{} // closed and replaced at every change
}

type sized[T any] struct {
	value T
	size  int
}

func newRing[T any](maxLen, maxSize int) *ring[T] {
	return &ring[T]{maxLen: maxLen, maxSize: maxSize, changed: make(chan struct{})}
}

// add appends an entry of the given size and drops the oldest that do not fit
// any more. make gets the entry's sequence number.
func (r *ring[T]) add(size int, make func(seq uint64) T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.entries = append(r.entries, sized[T]{make(r.first + uint64(len(r.entries))), size})
	r.size += size
	r.trim()
	r.signal()
}

// trim drops from the front. The newest entry stays even if it alone is too large.
func (r *ring[T]) trim() {
	n := 0
	for len(r.entries)-n > 1 && (len(r.entries)-n > r.maxLen || r.size > r.maxSize) {
		r.size -= r.entries[n].size
		n++
	}
	clear(r.entries[:n]) // the texts go now, the slice's head at the next growth
	r.entries = r.entries[n:]
	r.first += uint64(n)
}

func (r *ring[T]) signal() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// shrink lowers the bound on the size.
func (r *ring[T]) shrink(maxSize int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.maxSize = min(r.maxSize, maxSize)
	r.trim()
}

// close ends every reader that follows, once it has read all.
func (r *ring[T]) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.signal()
	}
}

// batch is how many entries a reader takes at a time.
const batch = 64

// read returns entries from the sequence number on, how many before them were
// lost, and, if there are none, a channel that tells when to look again (nil
// when nothing will come).
func (r *ring[T]) read(from uint64) (values []T, lost uint64, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from < r.first {
		lost = r.first - from
		from = r.first
	}
	for _, e := range r.entries[min(from-r.first, uint64(len(r.entries))):] {
		if len(values) == batch {
			break
		}
		values = append(values, e.value)
	}
	if len(values) == 0 && !r.closed {
		changed = r.changed
	}
	return values, lost, changed
}

// each hands every kept entry to emit, and with follow set every later one
// until ctx ends or the ring is closed. lost is how many entries before this
// one a reader that was slow did not get.
func (r *ring[T]) each(ctx context.Context, follow bool, emit func(v T, lost uint64) error) error {
	next := r.oldest()
	for {
		values, lost, changed := r.read(next)
		next += lost
		for _, v := range values {
			if err := emit(v, lost); err != nil {
				return err
			}
			lost = 0
			next++
		}
		switch {
		case len(values) > 0:
		case changed == nil || !follow:
			return nil
		default:
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// oldest is the sequence number of the oldest entry that is kept.
func (r *ring[T]) oldest() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}
