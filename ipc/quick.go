package ipc

import "context"

// Receiver is a Handler that answers calls where they are received, if it can do
// that at once. No goroutine has to be woken for them then, which for a small
// call takes most of the time.
type Receiver interface {
	Handler

	// ReceiveCall takes a call without descriptors, on the reading goroutine.
	// Nothing else is received until it returns, so it must neither block nor
	// call or notify through this Conn. It returns the answer, or what gives it:
	// later runs like HandleCall, which is not called then. The body is the
	// handler's.
	ReceiveCall(body []byte) (reply []byte, later func(ctx context.Context) ([]byte, error), err error)
}

// receiveCall gives a call to a Receiver, and returns what is left to do, if
// anything is.
func (c *Conn) receiveCall(r Receiver, call incomingCall) (left incomingCall, ok bool) {
	reply, later, err := r.ReceiveCall(call.body)
	if later != nil {
		call.later = later
		return call, true
	}
	c.release(&c.requests.window, len(call.body))
	c.answerNow(call.number, reply, err)
	return call, false
}

// answerNow answers without waiting for anything; what would have to wait goes on
// on a goroutine of its own.
func (c *Conn) answerNow(number uint64, reply []byte, err error) {
	if err == nil {
		err = c.fitsReply(reply)
	}
	if err == nil && !c.requests.budget.tryTake(len(reply)) {
		go func() {
			err := c.requests.budget.take(c.ctx, c.done, len(reply))
			m := replyTo(number, reply, err)
			c.send(c.ctx, &m)
		}()
		return
	}
	m := replyTo(number, reply, err)
	if !c.trySend(&m) {
		go c.send(c.ctx, &m) // fails only if the connection has ended
	}
}

// trySend sends a message of one frame, if nobody else is sending and there is
// room.
func (c *Conn) trySend(m *message) bool {
	if len(m.body) > fragment || !c.out.tryLock() {
		return false
	}
	defer c.out.unlock()
	if c.owes() {
		c.settle()
	}
	if c.owes() || !c.out.fits(len(m.body)) || c.out.closed {
		return false
	}
	c.put(m, len(m.body))
	return true
}
