package ipc

import (
	"errors"
	"sync/atomic"
)

// kick sends what is owed, if nobody else is about to.
func (o *writer) kick() {
	for o.due() && o.tryLock() {
		o.conn.settle()
		if !o.flush() {
			return // drain kicks again
		}
	}
}

// due reports whether something waits to be sent that has no goroutine.
func (o *writer) due() bool {
	c := o.conn
	select {
	case <-c.done:
		return false
	default:
	}
	left := o.dirty.Load() && o.waiting.Load() == 0
	return left || c.owes()
}

// release owes the peer n bytes of a window: this end holds them no more.
func (c *Conn) release(w *window, n int) {
	w.owed.Add(int64(n))
	c.out.kick()
}

// owes reports whether there is something for settle to do.
func (c *Conn) owes() bool { return c.requests.owes() || c.calls.owes() }

// settle puts what this end owes into the buffer, as far as there is room. The
// caller has the turn.
func (c *Conn) settle() {
	c.pay(&c.requests.window, 0)
	c.pay(&c.calls.replies, flagReplies)
	for c.out.fits(maxError) {
		number, ok := c.calls.nextCancel()
		if !ok {
			break
		}
		c.out.append(header{kind: kindCancel, number: number}, nil)
	}
	for c.out.fits(maxError) {
		number, ok := c.requests.nextRefused()
		if !ok {
			break
		}
		c.requests.retire(number)
		text := errorText(errGivenUp)
		c.out.append(header{kind: kindError, number: number, size: uint32(len(text))}, text)
	}
}

var errGivenUp = errors.New("the caller gave up before the call was whole")

// pay grants a window again what is owed to it, if that is enough.
func (c *Conn) pay(w *window, flags byte) {
	if w.due() && c.out.fits(0) {
		c.out.append(header{kind: kindCredit, flags: flags, size: w.pay()}, nil)
	}
}

func (q *outgoing) nextCancel() (uint64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return pop(&q.cancels, &q.queued)
}

func (q *incoming) nextRefused() (uint64, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return pop(&q.refused, &q.queued)
}

// pop takes the first of a queue whose length is kept beside it.
func pop(queue *[]uint64, length *atomic.Int32) (uint64, bool) {
	if len(*queue) == 0 {
		return 0, false
	}
	n := (*queue)[0]
	*queue = (*queue)[1:]
	length.Store(int32(len(*queue)))
	return n, true
}
