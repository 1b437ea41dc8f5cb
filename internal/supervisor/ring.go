package supervisor

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// ring keeps the latest entries within a number and a size. Readers pull by
// sequence number at their own pace and are told how many entries they were
// too slow for, or were evicted before they came, so a slow reader costs
// nothing.
type ring[T any] struct {
	maxLen, maxSize int

	mu      sync.Mutex
	entries []sized[T]
	next    uint64 // sequence number of the next entry; the first ever is 0
	size    int
	closed  bool
	changed chan struct{} // closed and replaced at every change
}

type sized[T any] struct {
	value T
	seq   uint64 // they rise, with gaps where entries were evicted
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
	r.entries = append(r.entries, sized[T]{make(r.next), r.next, size})
	r.next++
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
}

// evict drops the oldest of the entries for which is is true, until at most
// keep of them are left.
func (r *ring[T]) evict(keep int, is func(T) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	more := -keep
	for _, e := range r.entries {
		if is(e.value) {
			more++
		}
	}
	if more <= 0 {
		return
	}
	r.entries = slices.DeleteFunc(r.entries, func(e sized[T]) bool {
		if more == 0 || !is(e.value) {
			return false
		}
		more--
		r.size -= e.size
		return true
	})
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

// adopt gives a ring that is empty the entries of another one.
func (r *ring[T]) adopt(old *ring[T]) {
	old.mu.Lock()
	entries, next, size := slices.Clone(old.entries), old.next, old.size
	old.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.next, r.size = entries, next, size
	r.trim()
}

// batch is how many entries a reader takes at a time.
const batch = 64

// read returns entries from the sequence number on, and, if there are none, a
// channel that tells when to look again (nil when nothing will come).
func (r *ring[T]) read(from uint64) (entries []sized[T], changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := sort.Search(len(r.entries), func(n int) bool { return r.entries[n].seq >= from })
	entries = slices.Clone(r.entries[at:min(at+batch, len(r.entries))])
	if len(entries) == 0 && !r.closed {
		changed = r.changed
	}
	return entries, changed
}

// each hands every kept entry to emit, and with follow set every later one
// until ctx ends or the ring is closed. lost is how many entries before this
// one a reader that was slow did not get.
func (r *ring[T]) each(ctx context.Context, follow bool, emit func(v T, lost uint64) error) error {
	next := r.oldest()
	for {
		entries, changed := r.read(next)
		for _, e := range entries {
			if err := emit(e.value, e.seq-next); err != nil {
				return err
			}
			next = e.seq + 1
		}
		switch {
		case len(entries) > 0:
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
	if len(r.entries) == 0 {
		return r.next
	}
	return r.entries[0].seq
}
