package ipc

import (
	"context"
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
