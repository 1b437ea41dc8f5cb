package ipc

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// outgoing is what this end has asked for: its calls and notifications.
type outgoing struct {
	slots  chan struct{} // one in it for each call in flight
	long   chan struct{} // held by the one long notification on its way
	budget *budget       // for requests

	last uint64 // the last number given; belongs to the holder of the turn

	mu      sync.Mutex
	pending map[uint64]*pending
	cancels []uint64     // to be sent
	queued  atomic.Int32 // len(cancels)

	replies window // what the peer may send in answer
	count   atomic.Uint64
}

// pending is a call that has no reply yet. It stays in flight until there is
// one, even if nobody waits for it any more.
type pending struct {
	done chan result // capacity 1
	part part        // of its reply; the reading goroutine's
}

type result struct {
	body []byte
	err  error
}

func (q *outgoing) init(peer announced, own Limits) {
	q.slots = make(chan struct{}, peer.calls)
	q.long = make(chan struct{}, 1)
	q.budget = newBudget(int(peer.window))
	q.pending = make(map[uint64]*pending)
	q.replies.open(own.Window)
}

func (q *outgoing) stats(s *Stats) {
	s.CallsOut, s.InFlightOut = q.count.Load(), len(q.slots)
}

func (q *outgoing) owes() bool { return q.queued.Load() > 0 || q.replies.due() }

// Call sends a request and waits for its reply. Files go with it, from the
// initiator only, at most 4; they stay the caller's. When ctx ends, the peer is
// told to give up, and Call returns at once. Errors: *RemoteError with the
// text of the peer's handler; ErrTooLarge; ctx's; the connection's (see Err).
func (c *Conn) Call(ctx context.Context, body []byte, files ...*os.File) ([]byte, error) {
	if err := c.check(body, files); err != nil {
		return nil, fmt.Errorf("cannot call: %w", err)
	}
	reply, err := c.call(ctx, body, files)
	if _, remote := err.(*RemoteError); err != nil && !remote {
		return nil, fmt.Errorf("cannot call: %w", err)
	}
	return reply, err
}

func (c *Conn) check(body []byte, files []*os.File) error {
	switch {
	case len(body) > int(c.peer.message):
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(body), c.peer.message)
	case len(files) > maxFiles:
		return fmt.Errorf("%d descriptors, at most %d", len(files), maxFiles)
	case len(files) > 0 && !c.initiator:
		return fmt.Errorf("only the initiator may send descriptors")
	}
	return nil
}

func (c *Conn) call(ctx context.Context, body []byte, files []*os.File) ([]byte, error) {
	if err := c.acquire(ctx, c.calls.slots); err != nil {
		return nil, err
	}
	fds, err := duplicate(files)
	if err != nil {
		<-c.calls.slots
		return nil, err
	}
	p := &pending{done: make(chan result, 1)}
	m := message{kind: kindCall, body: body, files: fds, call: p}
	if err := c.spend(ctx, &m); err != nil {
		closeAll(fds)
		<-c.calls.slots
		return nil, err
	}
	if err := c.send(ctx, &m); err != nil {
		return nil, c.giveUp(&m, err)
	}
	return c.await(ctx, &m)
}

// acquire takes a place in a semaphore.
func (c *Conn) acquire(ctx context.Context, slots chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done:
		return c.err
	}
}

// spend pays for a request from the peer's window.
func (c *Conn) spend(ctx context.Context, m *message) error {
	if err := c.calls.budget.take(ctx, c.done, len(m.body)); err != nil {
		return c.reason(err)
	}
	return nil
}

// reason prefers why the connection ended to what came of that.
func (c *Conn) reason(err error) error {
	if ended := c.Err(); ended != nil {
		return ended
	}
	return err
}

// await waits for the reply to a call that was sent.
func (c *Conn) await(ctx context.Context, m *message) ([]byte, error) {
	select {
	case r := <-m.call.done:
		return r.body, r.err
	case <-ctx.Done():
		return nil, c.giveUp(m, ctx.Err())
	case <-c.done:
	}
	select {
	case r := <-m.call.done: // it came just before the end
		return r.body, r.err
	default:
		return nil, c.err
	}
}

// giveUp leaves a message that was not sent whole, or a call that has no
// reply, and passes err on.
func (c *Conn) giveUp(m *message, err error) error {
	q := &c.calls
	if m.number == 0 { // nothing was sent
		closeAll(m.files)
		q.budget.grant(len(m.body))
		if m.call != nil {
			<-q.slots
		}
		return c.reason(err)
	}
	q.mu.Lock()
	if m.call == nil || q.pending[m.number] != nil {
		q.cancels = append(q.cancels, m.number)
		q.queued.Store(int32(len(q.cancels)))
	}
	q.mu.Unlock()
	c.out.kick()
	return c.reason(err)
}

// register books a call under its number, before its first frame is sent.
func (q *outgoing) register(m *message) {
	q.last++
	m.number = q.last
	if m.call == nil {
		return
	}
	q.count.Add(1)
	q.mu.Lock()
	q.pending[m.number] = m.call
	q.mu.Unlock()
}

// Notify sends a notification. It returns once everything is on its way; when
// ctx ends before that, the peer gets nothing. The peer handles notifications
// in the order in which one goroutine sends them.
func (c *Conn) Notify(ctx context.Context, body []byte) error {
	if err := c.check(body, nil); err != nil {
		return fmt.Errorf("cannot notify: %w", err)
	}
	if err := c.notify(ctx, body); err != nil {
		return fmt.Errorf("cannot notify: %w", err)
	}
	c.notifies.Add(1)
	return nil
}

func (c *Conn) notify(ctx context.Context, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(body) > fragment {
		if err := c.acquire(ctx, c.calls.long); err != nil {
			return err
		}
		defer func() { <-c.calls.long }()
	}
	m := message{kind: kindNotify, body: body}
	if err := c.spend(ctx, &m); err != nil {
		return err
	}
	if err := c.send(ctx, &m); err != nil {
		return c.giveUp(&m, err)
	}
	return c.Err()
}
