package ipc

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// receive is the reading goroutine.
func (c *Conn) receive() {
	err := c.readAll()
	if broken := (*ProtocolError)(nil); c.closing.Load() && !errors.As(err, &broken) {
		err = ErrClosed
	}
	c.end(err)
	c.in.close()
	for _, p := range c.requests.parts {
		p.drop()
	}
}

func (c *Conn) readAll() error {
	for {
		record, err := c.in.next(minRecord)
		if err != nil {
			return err
		}
		h, payload, err := c.open.open(record)
		if err != nil {
			return err
		}
		files, err := c.in.claim(int(h.files))
		if err != nil {
			closeAll(files)
			return err
		}
		if err := c.take(h, payload, files); err != nil {
			return err
		}
	}
}

// take acts on one frame.
func (c *Conn) take(h header, payload []byte, files []int) error {
	switch h.kind {
	case kindCall, kindNotify:
		if h.flags&flagContinued != 0 {
			return c.goOn(h, payload)
		}
		return c.begin(h, payload, files)
	case kindReply, kindError:
		return c.answer(h, payload)
	case kindCancel:
		return c.cancelled(h.number)
	case kindCredit:
		return c.granted(h)
	case kindRekey:
		return c.open.rekey()
	case kindClose:
		return io.EOF
	}
	panic("ipc: cannot happen: a type that parseFrame lets through")
}

// begin takes the first frame of a request. What it breaks is found before
// memory is taken for it.
func (c *Conn) begin(h header, payload []byte, files []int) error {
	q := &c.requests
	err := q.charge(h, c.limits)
	if err != nil {
		closeAll(files)
		return err
	}
	q.next++
	switch {
	case len(payload) < int(h.size):
	case h.kind == kindCall:
		c.dispatch(h.number, bytes.Clone(payload), openFiles(files))
		return nil
	default:
		c.notice(payload)
		return nil
	}
	p := &part{kind: h.kind, size: h.size, files: files}
	p.add(payload)
	q.parts[h.number] = p
	return c.whole(h.number, p)
}

// charge holds a new request against the limits, and books it.
func (q *incoming) charge(h header, l Limits) error {
	if h.number != q.next {
		return broken(RuleStream, "a message has number %d, the next is %d", h.number, q.next)
	}
	if int64(h.size) > int64(l.Message) {
		return broken(RuleMessage, "%d bytes, at most %d", h.size, l.Message)
	}
	if h.kind == kindCall {
		if err := q.admit(); err != nil {
			return err
		}
	}
	return q.window.charge(h.size)
}

// goOn takes a further frame of a request.
func (c *Conn) goOn(h header, payload []byte) error {
	p := c.requests.parts[h.number]
	if p == nil || p.kind != h.kind {
		return broken(RuleStream, "a fragment of message %d, which is not begun", h.number)
	}
	if err := p.check(h, payload); err != nil {
		return err
	}
	p.add(payload)
	return c.whole(h.number, p)
}

// whole hands a request on if it is all there.
func (c *Conn) whole(number uint64, p *part) error {
	q := &c.requests
	c.open.begun = p.unlessWhole()
	if !p.whole() {
		if p.kind != kindNotify {
			return nil
		}
		if q.notice != 0 && q.notice != number {
			return broken(RuleFragment, "notification %d begins inside notification %d", number, q.notice)
		}
		q.notice = number
		return nil
	}
	delete(q.parts, number)
	if p.kind == kindCall {
		c.dispatch(number, p.body, openFiles(p.files))
		return nil
	}
	q.notice = 0
	c.notice(p.body)
	return nil
}

// notice hands a notification to the handler, and its bytes back to the window.
func (c *Conn) notice(body []byte) {
	c.notified.Add(1)
	c.handler.HandleNotify(body)
	c.release(&c.requests.window, len(body))
}

// answer takes a frame of a reply. Every call gets exactly one, so a number
// that is not pending was never called or is answered already.
func (c *Conn) answer(h header, payload []byte) error {
	q := &c.calls
	q.mu.Lock()
	p := q.pending[h.number]
	q.mu.Unlock()
	if p == nil {
		return broken(RuleReply, "to call %d, which is not in flight", h.number)
	}
	if h.kind == kindError {
		return c.failed(h, p, payload)
	}
	if err := c.addReply(h, p, payload); err != nil {
		return err
	}
	c.open.begun = p.part.unlessWhole()
	if !p.part.whole() {
		return nil
	}
	c.settled(h.number, p, result{body: p.part.body})
	c.release(&q.replies, int(h.size))
	return nil
}

// addReply adds a frame to a reply.
func (c *Conn) addReply(h header, p *pending, payload []byte) error {
	begun := p.part.kind != 0
	if begun != (h.flags&flagContinued != 0) {
		return broken(RuleReply, "reply %d begins twice, or goes on before it begins", h.number)
	}
	if begun {
		if err := p.part.check(h, payload); err != nil {
			return err
		}
	} else {
		if int64(h.size) > int64(c.limits.Message) {
			return broken(RuleMessage, "a reply of %d bytes, at most %d", h.size, c.limits.Message)
		}
		if err := c.calls.replies.charge(h.size); err != nil {
			return err
		}
		p.part = part{kind: h.kind, size: h.size}
	}
	p.part.add(payload)
	return nil
}

// failed takes an error reply, which is one frame and costs no credit.
func (c *Conn) failed(h header, p *pending, payload []byte) error {
	if p.part.kind != 0 {
		return broken(RuleReply, "an error to call %d, whose reply is begun", h.number)
	}
	text := strings.ToValidUTF8(string(payload), "\uFFFD")
	c.settled(h.number, p, result{err: &RemoteError{Text: text}})
	return nil
}

// settled ends a call of this end's. Nobody may be waiting any more.
func (c *Conn) settled(number uint64, p *pending, r result) {
	q := &c.calls
	q.mu.Lock()
	delete(q.pending, number)
	q.mu.Unlock()
	p.done <- r
	<-q.slots
}

// cancelled takes the peer's word that it gives a message up.
func (c *Conn) cancelled(number uint64) error {
	q := &c.requests
	if number >= q.next {
		return broken(RuleCancel, "of message %d, the next is %d", number, q.next)
	}
	p := q.parts[number]
	if p == nil {
		q.stop(number)
		return nil
	}
	delete(q.parts, number)
	p.drop()
	if p.kind == kindCall {
		q.refuse(number)
	} else {
		q.notice = 0
	}
	c.release(&q.window, int(p.size))
	return nil
}

// granted takes more credit.
func (c *Conn) granted(h header) error {
	b := c.calls.budget
	if h.flags&flagReplies != 0 {
		b = c.requests.budget
	}
	if !b.grant(int(h.size)) {
		return broken(RuleCredit, "a grant of %d bytes is more than was spent", h.size)
	}
	return nil
}
