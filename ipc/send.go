package ipc

import "context"

// fragment is the most of a message that goes into one frame. It is below what
// a frame can hold, so that the peer decrypts one fragment while this end
// encrypts the next: with larger ones encryption costs more of a round trip of
// 64 KiB (benchmark ipctest.RoundTrip), with smaller ones waking the peer does.
const fragment = 12 << 10

// message is one on its way out.
type message struct {
	kind   kind
	number uint64 // 0 for a request until its first frame is made
	body   []byte
	files  []int    // duplicates, ours; nil once they are attached
	call   *pending // for a call
	sent   int
}

// send sends a message's fragments, giving others a turn between them. Ctx
// bounds waiting for a turn.
func (c *Conn) send(ctx context.Context, m *message) error {
	for {
		if err := c.out.lock(ctx); err != nil {
			return err
		}
		n := min(len(m.body)-m.sent, fragment)
		if c.owes() {
			c.settle() // first: a new message must not overtake a cancellation
		}
		if c.owes() || !c.out.fits(n) || m.files != nil && c.out.w > 0 {
			if c.out.flush() {
				c.out.kick()
			}
			continue
		}
		if c.out.closed {
			c.out.unlock()
			return ErrClosed
		}
		c.put(m, n)
		c.out.unlock()
		if m.sent == len(m.body) {
			return nil
		}
	}
}

// put makes one frame of the next n bytes.
func (c *Conn) put(m *message, n int) {
	h := header{kind: m.kind, size: uint32(len(m.body)), files: byte(len(m.files))}
	if m.sent > 0 {
		h.flags = flagContinued
	}
	if m.number == 0 {
		c.calls.register(m)
	}
	h.number = m.number
	if m.files != nil {
		c.out.attach(m.files)
		m.files = nil
	}
	last := m.sent+n == len(m.body)
	if last && (m.kind == kindReply || m.kind == kindError) {
		c.requests.retire(m.number) // before the peer can know
	}
	c.out.append(h, m.body[m.sent:m.sent+n])
	m.sent += n
}
