package ipc

import (
	"context"
	"sync"
)

// budget is how many bytes of messages this end may still send. Who finds too
// few waits in a queue, so that small messages cannot starve a large one.
type budget struct {
	mu      sync.Mutex
	left    int
	limit   int
	waiters []*waiter
}

// waiter waits for n bytes. Its channel closes when they are its own.
type waiter struct {
	n     int
	ready chan struct{}
}

func newBudget(n int) *budget { return &budget{left: n, limit: n} }

// take spends n bytes, once they are there. N is at most the limit.
func (b *budget) take(ctx context.Context, ended <-chan struct{}, n int) error {
	b.mu.Lock()
	if len(b.waiters) == 0 && n <= b.left {
		b.left -= n
		b.mu.Unlock()
		return nil
	}
	w := &waiter{n, make(chan struct{})}
	b.waiters = append(b.waiters, w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		b.leave(w)
		return ctx.Err()
	case <-ended:
		b.leave(w)
		return ErrClosed // the caller gives the connection's own error
	}
}

// tryTake spends n bytes if they are there and nobody waits for them.
func (b *budget) tryTake(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiters) > 0 || n > b.left {
		return false
	}
	b.left -= n
	return true
}

// leave takes a waiter out of the queue, and gives back what it got just now.
func (b *budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.waiters {
		if b.waiters[i] == w {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			b.serve()
			return
		}
	}
	b.left += w.n
	b.serve()
}

// grant adds n bytes and reports whether the whole is within the limit.
func (b *budget) grant(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.limit-b.left {
		return false
	}
	b.left += n
	b.serve()
	return true
}

// serve gives the first in the queue what there is enough of.
func (b *budget) serve() {
	for len(b.waiters) > 0 && b.waiters[0].n <= b.left {
		w := b.waiters[0]
		b.waiters = b.waiters[1:]
		b.left -= w.n
		close(w.ready)
	}
}
