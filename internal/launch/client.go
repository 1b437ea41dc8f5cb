package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Client is the supervisor's end. Its methods may be called concurrently, and
// many requests can be under way at once.
type Client struct {
	conn  *Conn
	exits *queue
	done  chan struct{}

	mu      sync.Mutex
	seq     uint64
	waiting map[uint64]*pending // requests that have not been answered
	err     error
}

// pending is a request under way.
type pending struct {
	answer chan answer // has room for it
	id     mp.InstanceID
	starts bool
	left   bool // its caller has gone
}

// answer is a response with the descriptors that came beside it.
type answer struct {
	Response
	files []*os.File
}

// NewClient takes over f, the supervisor's end of the socket.
func NewClient(f *os.File) (*Client, error) {
	conn, err := NewConn(f)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, exits: newQueue(), done: make(chan struct{}), waiting: map[uint64]*pending{}}
	go c.read()
	return c, nil
}

// Start makes a worker and gives it its ends of channel, birth pipe and
// standard error, which stay the caller's to close. The file is the worker's
// pidfd. A lock that the host lacks is an error that wraps mp.ErrMissing.
//
// If ctx ends first, the worker is killed as soon as it has started, and Exits
// delivers its end.
func (c *Client) Start(ctx context.Context, id mp.InstanceID, role Role, limits mp.Limits, channel, birth, stderr *os.File) (Started, *os.File, error) {
	r := Request{Op: OpStart, ID: id, Role: role, Limits: &limits}
	a, err := c.call(ctx, r, channel, birth, stderr)
	if err != nil {
		return Started{}, nil, err
	}
	if a.Started == nil || len(a.files) != 1 {
		CloseAll(a.files)
		return Started{}, nil, c.fail(fmt.Errorf("launcher started a worker without saying which"))
	}
	return *a.Started, a.files[0], nil
}

// Limit changes a worker's limits.
func (c *Client) Limit(ctx context.Context, id mp.InstanceID, limits mp.Limits) error {
	return c.simple(ctx, Request{Op: OpLimit, ID: id, Limits: &limits})
}

// Freeze stops a worker; it returns when every task of it has stopped.
func (c *Client) Freeze(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpFreeze, ID: id})
}

// Thaw lets a frozen worker go on.
func (c *Client) Thaw(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpThaw, ID: id})
}

// Kill ends everything in the worker's cgroup; Exits tells when it is done.
func (c *Client) Kill(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpKill, ID: id})
}

// Stat looks at a worker from outside: its usage, and each of its locks.
func (c *Client) Stat(ctx context.Context, id mp.InstanceID) (Stat, error) {
	a, err := c.call(ctx, Request{Op: OpStat, ID: id})
	CloseAll(a.files)
	if err != nil {
		return Stat{}, err
	}
	if a.Stat == nil {
		return Stat{}, c.fail(fmt.Errorf("launcher looked at a worker and said nothing"))
	}
	return *a.Stat, nil
}

// Exits delivers one value for each worker that was started, when nothing is
// left of it. It is closed when the launcher is gone; workers whose end has not
// been delivered by then are being ended by the kernel or by the next launcher.
func (c *Client) Exits() <-chan Exited { return c.exits.out }

// Done is closed when the launcher is gone; Err then says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the launcher is gone: io.EOF when it closed its end or died.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close lets the launcher go: it ends every worker and exits.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	return err
}

func (c *Client) simple(ctx context.Context, r Request) error {
	a, err := c.call(ctx, r)
	CloseAll(a.files)
	return err
}

// call sends a request and waits for its answer.
func (c *Client) call(ctx context.Context, r Request, files ...*os.File) (answer, error) {
	p, err := c.begin(&r)
	if err != nil {
		return answer{}, err
	}
	if err := c.conn.Send(r, files...); err != nil {
		c.forget(r.Seq)
		return answer{}, fmt.Errorf("cannot ask launcher to %s: %w", r.Op, c.reason(err))
	}
	select {
	case a := <-p.answer:
		return a, a.problem(r.Op)
	case <-ctx.Done():
		c.leave(r.Seq, p)
		return answer{}, fmt.Errorf("launcher did not %s in time: %w", r.Op, ctx.Err())
	case <-c.done:
		c.leave(r.Seq, p)
		return answer{}, fmt.Errorf("cannot ask launcher to %s: %w", r.Op, c.reason(nil))
	}
}

// problem turns an answer that says no into an error.
func (a answer) problem(op Op) error {
	switch {
	case a.Missing != "":
		return fmt.Errorf("%w: %s: %s", mp.ErrMissing, a.Missing, a.Error)
	case a.Gone:
		return fmt.Errorf("launcher cannot %s: %w", op, mp.ErrNotFound)
	case a.Error != "":
		return fmt.Errorf("launcher cannot %s: %s", op, a.Error)
	}
	return nil
}

// reason is why the launcher is gone, if it is, else err.
func (c *Client) reason(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return fmt.Errorf("launcher is gone: %w", c.err)
	}
	return err
}

func (c *Client) begin(r *Request) (*pending, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, fmt.Errorf("cannot ask launcher to %s: launcher is gone: %w", r.Op, c.err)
	}
	c.seq++ // never 0, which marks events
	r.Seq = c.seq
	p := &pending{answer: make(chan answer, 1), id: r.ID, starts: r.Op == OpStart}
	c.waiting[r.Seq] = p
	return p, nil
}

func (c *Client) forget(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, seq)
}

// leave notes that a request's caller has gone. If its answer has just come,
// it is discarded here, else when it comes.
func (c *Client) leave(seq uint64, p *pending) {
	c.mu.Lock()
	p.left = true
	_, open := c.waiting[seq]
	c.mu.Unlock()
	if open {
		return
	}
	select {
	case a := <-p.answer:
		c.discard(p, a)
	default: // there was none before the launcher was gone
	}
}

// read delivers what the launcher sends until it is gone.
func (c *Client) read() {
	for {
		var r Response
		files, err := c.conn.Receive(&r)
		if err == nil {
			err = c.deliver(answer{r, files})
		}
		if err != nil {
			c.fail(err)
			c.exits.close()
			close(c.done)
			return
		}
	}
}

// deliver passes on one packet. An answer to nothing, or an event that says
// nothing, is no launcher of ours.
func (c *Client) deliver(a answer) error {
	if a.Seq == 0 {
		CloseAll(a.files)
		if a.Event == nil {
			return errors.New("launcher sent a packet that answers nothing")
		}
		c.exits.put(*a.Event)
		return nil
	}
	p, left := c.hand(a)
	if p == nil {
		CloseAll(a.files)
		return fmt.Errorf("launcher answered request %d, which was not asked", a.Seq)
	}
	if left {
		c.discard(p, a)
	}
	return nil
}

// hand gives an answer to its request, unless the caller has left.
func (c *Client) hand(a answer) (p *pending, left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.waiting[a.Seq]
	if !ok {
		return nil, false
	}
	delete(c.waiting, a.Seq)
	if !p.left {
		p.answer <- a
	}
	return p, p.left
}

// discard drops an answer that nobody waits for. A worker that was started
// meanwhile would be nobody's.
func (c *Client) discard(p *pending, a answer) {
	CloseAll(a.files)
	if p.starts && a.Started != nil {
		go c.Kill(context.Background(), p.id)
	}
}

// fail ends the connection for the reason err, if nothing has ended it yet.
func (c *Client) fail(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.conn.Close()
	}
	return err
}
