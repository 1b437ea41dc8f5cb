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

	more    chan incomingCall // to the goroutine that waits for more
	waiting atomic.Bool       // there is one

	count atomic.Uint64
}

func (q *incoming) init(peer announced, own Limits) {
	q.limit = own.Calls
	q.window.open(own.Window)
	q.budget = newBudget(int(peer.window))
	q.next = 1
	q.parts = make(map[uint64]*part)
	q.running = make(map[uint64]context.CancelFunc)
	q.more = make(chan incomingCall)
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
	call := incomingCall{number: number, body: body, files: files}
	if r, ok := c.handler.(Receiver); ok && len(files) == 0 {
		if call, ok = c.receiveCall(r, call); !ok {
			return
		}
	}
	call.ctx, call.cancel = context.WithCancel(c.ctx)
	q := &c.requests
	q.mu.Lock()
	q.running[number] = call.cancel
	q.mu.Unlock()
	select {
	case q.more <- call:
	default:
		go c.serveAll(call)
	}
}

// incomingCall is a call that is whole.
type incomingCall struct {
	ctx    context.Context
	cancel context.CancelFunc
	number uint64
	body   []byte
	files  []*os.File
	later  func(context.Context) ([]byte, error) // in HandleCall's place, if not nil
}

// serveAll serves a call, and then those that come while this goroutine is the
// one that waits for more: a new one's stack grows on the way through the
// handler, which takes as long as a small call does.
func (c *Conn) serveAll(call incomingCall) {
	q := &c.requests
	for {
		c.serve(call)
		if !q.waiting.CompareAndSwap(false, true) {
			return
		}
		call = incomingCall{} // it is garbage from now on
		select {
		case call = <-q.more:
			q.waiting.Store(false)
		case <-c.done:
			return
		}
	}
}

// serve runs the handler and replies.
func (c *Conn) serve(call incomingCall) {
	ctx, number := call.ctx, call.number
	defer call.cancel()
	n := len(call.body)
	reply, err := c.handle(call)
	c.release(&c.requests.window, n)
	if err == nil {
		err = c.mayReply(ctx, reply)
	}
	m := replyTo(number, reply, err)
	c.send(c.ctx, &m) // fails only if the connection has ended
}

func (c *Conn) handle(call incomingCall) ([]byte, error) {
	if call.later != nil {
		return call.later(call.ctx)
	}
	return c.handler.HandleCall(call.ctx, call.body, call.files)
}

// replyTo is the answer to a call: a reply, or an error.
func replyTo(number uint64, reply []byte, err error) message {
	if err != nil {
		return message{kind: kindError, number: number, body: errorText(err)}
	}
	return message{kind: kindReply, number: number, body: reply}
}

// mayReply pays for a reply from the peer's window. A caller that has given up
// gets no body.
func (c *Conn) mayReply(ctx context.Context, reply []byte) error {
	if err := c.fitsReply(reply); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.requests.budget.take(ctx, c.done, len(reply))
}

func (c *Conn) fitsReply(reply []byte) error {
	if len(reply) > int(c.peer.message) {
		return fmt.Errorf("reply of %d bytes: %w", len(reply), ErrTooLarge)
	}
	return nil
}

// errorText cuts an error to what may travel.
func errorText(err error) []byte {
	text := err.Error()
	return []byte(text[:min(len(text), maxError)])
}
