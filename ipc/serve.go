package ipc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// incoming is what the peer has asked for.
type incoming struct {
	limit  int     // Limits.Calls
	window window  // what the peer may send
	budget *budget // for replies

	next   uint64           // the number that comes next; the reading goroutine's
	parts  map[uint64]*part // begun and not whole; the reading goroutine's
	notice uint64           // the one long notification that is begun, or 0; likewise

	mu       sync.Mutex
	inFlight int
	running  map[uint64]context.CancelFunc
	refused  []uint64     // calls cancelled before they were whole, to be answered
	queued   atomic.Int32 // len(refused)

	count atomic.Uint64
}

func (q *incoming) init(peer announced, own Limits) {
	q.limit = own.Calls
	q.window.open(own.Window)
	q.budget = newBudget(int(peer.window))
	q.next = 1
	q.parts = make(map[uint64]*part)
	q.running = make(map[uint64]context.CancelFunc)
}

func (q *incoming) stats(s *Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.CallsIn, s.InFlightIn = q.count.Load(), q.inFlight
}

func (q *incoming) owes() bool { return q.queued.Load() > 0 || q.window.due() }

// admit books a new call.
func (q *incoming) admit() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight == q.limit {
		return broken(RuleCalls, "more than %d", q.limit)
	}
	q.inFlight++
	q.count.Add(1)
	return nil
}

// retire ends a call, whose reply is about to be sent.
func (q *incoming) retire(number uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inFlight--
	delete(q.running, number)
}

// stop cancels a running call; one that has just ended is not there.
func (q *incoming) stop(number uint64) {
	q.mu.Lock()
	cancel := q.running[number]
	q.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// refuse has a call answered that never got whole.
func (q *incoming) refuse(number uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = append(q.refused, number)
	q.queued.Store(int32(len(q.refused)))
}

// dispatch starts the handler of a call that is whole.
func (c *Conn) dispatch(number uint64, body []byte, files []*os.File) {
	ctx, cancel := context.WithCancel(c.ctx)
	q := &c.requests
	q.mu.Lock()
	q.running[number] = cancel
	q.mu.Unlock()
	go c.serve(ctx, cancel, number, body, files)
}

// serve runs the handler and replies.
func (c *Conn) serve(ctx context.Context, cancel context.CancelFunc, number uint64, body []byte, files []*os.File) {
	defer cancel()
	n := len(body)
	reply, err := c.handler.HandleCall(ctx, body, files)
	c.release(&c.requests.window, n)
	if err == nil {
		err = c.mayReply(ctx, reply)
	}
	m := message{kind: kindReply, number: number, body: reply}
	if err != nil {
		m.kind, m.body = kindError, errorText(err)
	}
	c.send(c.ctx, &m) // fails only if the connection has ended
}

// mayReply pays for a reply from the peer's window. A caller that has given up
// gets no body.
func (c *Conn) mayReply(ctx context.Context, reply []byte) error {
	if len(reply) > int(c.peer.message) {
		return fmt.Errorf("reply of %d bytes: %w", len(reply), ErrTooLarge)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.requests.budget.take(ctx, c.done, len(reply))
}

// errorText cuts an error to what may travel.
func errorText(err error) []byte {
	text := err.Error()
	return []byte(text[:min(len(text), maxError)])
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
