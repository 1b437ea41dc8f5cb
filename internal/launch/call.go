package launch

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

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
			close(c.notices)
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
		if !c.event(a.Response) {
			return errors.New("launcher sent a packet that answers nothing")
		}
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
