package launch

import "sync"

// queue is a channel without a bound: ends of workers must neither be lost nor
// hold up the answers behind them. There are never more than workers.
type queue struct {
	out chan Exited

	mu     sync.Mutex
	ready  *sync.Cond
	items  []Exited
	closed bool
}

func newQueue() *queue {
	q := &queue{out: make(chan Exited)}
	q.ready = sync.NewCond(&q.mu)
	go q.pump()
	return q
}

func (q *queue) put(e Exited) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, e)
	q.ready.Signal()
}

// close closes out after everything in the queue has been taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Signal()
}

func (q *queue) pump() {
	defer close(q.out)
	for {
		q.mu.Lock()
		for len(q.items) == 0 && !q.closed {
			q.ready.Wait()
		}
		if len(q.items) == 0 {
			q.mu.Unlock()
			return
		}
		e := q.items[0]
		q.items = q.items[1:]
		q.mu.Unlock()
		q.out <- e
	}
}
