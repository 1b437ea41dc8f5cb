package ipc

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// writer sends frames. Whoever holds the turn encrypts and writes; so nonces
// and bytes are in the same order. Nobody waits in a write while holding the
// turn for somebody else: when the socket is full, a goroutine made for it
// takes the turn over and drains the buffer.
//
// Small things that this end owes (credit, cancellations, answers to calls
// that were given up) are sent by whoever has the turn next; kick finds
// somebody when nobody has.
type writer struct {
	conn  *Conn
	raw   syscall.RawConn
	ready func(fd uintptr) bool // attempt, made a value once

	turn    chan struct{} // capacity 1: full while somebody has it
	waiting atomic.Int32  // how many wait for it
	dirty   atomic.Bool   // something was left for one who waits to write

	// The rest belongs to the holder of the turn.
	seal   sealer
	buf    *[bufferSize]byte // nil while there is nothing in it
	r, w   int               // what is not yet written is buf[r:w]
	oob    []byte            // goes with the first of these bytes
	files  []int             // the descriptors in oob, ours to close
	wait   bool              // whether attempt may wait for room
	err    error             // of the last attempt
	broken bool              // the peer's end is closed: nothing can be sent
	closed bool              // the close frame was sent: nothing may be

	frames, bytes, writes, keys atomic.Uint64
}

func (o *writer) init(c *Conn) {
	o.conn = c
	o.raw = c.in.raw
	o.ready = o.attempt
	o.turn = make(chan struct{}, 1)
}

func (o *writer) stats(s *Stats) {
	s.FramesOut, s.BytesOut, s.Writes, s.RekeysOut = o.frames.Load(), o.bytes.Load(), o.writes.Load(), o.keys.Load()
}

// lock waits for the turn.
func (o *writer) lock(ctx context.Context) error {
	if o.tryLock() {
		return nil
	}
	o.waiting.Add(1)
	select {
	case o.turn <- struct{}{}:
		o.waiting.Add(-1)
		return nil
	case <-ctx.Done():
		o.waiting.Add(-1)
		o.kick() // something may have been left for this one to write
		return ctx.Err()
	case <-o.conn.done:
		o.waiting.Add(-1)
		return o.conn.err
	}
}

func (o *writer) tryLock() bool {
	select {
	case o.turn <- struct{}{}:
		return true
	default:
		return false
	}
}

// together is how much may gather in the buffer for one write.
const together = 16 << 10

// unlock gives the turn back, and before that sees to it that what is in the
// buffer gets written: by the next who waits, if there is one and room for
// both; else here; else by drain.
func (o *writer) unlock() {
	if o.waiting.Load() > 0 && o.w < together && len(o.files) == 0 {
		o.dirty.Store(o.w > o.r)
		<-o.turn
		o.kick()
		return
	}
	if o.flush() {
		o.kick()
	}
}

// flush writes what there is and gives the turn back; or it gives turn and
// buffer to drain, and reports false.
func (o *writer) flush() bool {
	if o.w > o.r && !o.write(false) {
		go o.drain()
		return false
	}
	o.empty()
	<-o.turn
	return true
}

// drain writes the rest, however long the peer takes, within Limits.Stall.
func (o *writer) drain() {
	for o.w > o.r && !o.write(true) {
	}
	o.empty()
	<-o.turn
	o.kick()
}

// empty gives the buffer back once nothing is left in it.
func (o *writer) empty() {
	closeAll(o.files)
	o.files, o.oob = nil, nil
	o.dirty.Store(false)
	if o.buf != nil {
		putBuffer(o.buf)
		o.buf, o.r, o.w = nil, 0, 0
	}
}

// write writes what it can and reports whether nothing is left to do: all is
// written, or never will be.
func (o *writer) write(wait bool) bool {
	o.wait = wait
	if wait {
		o.conn.file.SetWriteDeadline(time.Now().Add(o.conn.limits.Stall)) // an error shows in the write
		defer o.conn.file.SetWriteDeadline(time.Time{})
	}
	before := o.r
	err := o.raw.Write(o.ready)
	if err == nil {
		err = o.err
	}
	switch {
	case err == nil:
		return o.r == o.w
	case err == unix.EAGAIN:
		return false
	case errors.Is(err, os.ErrDeadlineExceeded):
		return o.stalled(before)
	}
	o.fail(err)
	return true
}

// attempt makes one sendmsg(2). The poller calls it when there may be room.
func (o *writer) attempt(fd uintptr) bool {
	n, err := sendmsg(int(fd), o.buf[o.r:o.w], o.oob)
	o.err = err
	if err == unix.EAGAIN {
		return !o.wait
	}
	if n > 0 {
		o.r += n
		o.oob = nil
		o.writes.Add(1)
		o.bytes.Add(uint64(n))
	}
	return true
}

// stalled looks once more after the deadline, since this process may itself
// have been stopped, and then gives the peer up.
func (o *writer) stalled(before int) bool {
	o.conn.file.SetWriteDeadline(time.Time{})
	o.wait = false
	if err := o.raw.Write(o.ready); err == nil && o.err == nil && o.r > before {
		return o.r == o.w
	}
	if o.conn.paused() {
		return false // the next write has a time of its own
	}
	o.broken = true
	o.conn.end(ErrStalled)
	return true
}

// fail ends the connection for an error of a write. If the peer's end is
// closed, the peer's last words are read first.
func (o *writer) fail(err error) {
	o.broken = true
	if gone(err) {
		o.conn.in.hurry()
		return
	}
	o.conn.end(os.NewSyscallError("sendmsg", err))
}

// fits reports whether a frame fits in, with a rekey frame before it.
func (o *writer) fits(payload int) bool {
	return o.w+2*(lengthSize+minRecord)+payload <= bufferSize
}

// append encrypts one frame into the buffer, which it fits. Before it goes a
// rekey frame if one is due.
func (o *writer) append(h header, payload []byte) {
	if o.broken || o.closed {
		return
	}
	if now := time.Now(); o.seal.stale(now) {
		o.frame(header{kind: kindRekey}, nil)
		o.seal.rekey(now)
		o.keys.Add(1)
	}
	o.frame(h, payload)
}

func (o *writer) frame(h header, payload []byte) {
	if o.buf == nil {
		o.buf = getBuffer()
	}
	n, err := o.seal.seal(o.buf[o.w:], h, payload)
	if err != nil {
		o.broken = true
		o.conn.end(err)
		return
	}
	o.w += n
	o.frames.Add(1)
}

// attach lets descriptors travel with the next frame's first byte. The buffer
// is empty.
func (o *writer) attach(fds []int) {
	if o.broken || o.closed {
		closeAll(fds)
		return
	}
	o.files, o.oob = fds, unix.UnixRights(fds...)
}

// farewell sends the close frame, and returns once it is written.
func (o *writer) farewell(ctx context.Context) error {
	if err := o.lock(ctx); err != nil {
		return err
	}
	for !o.fits(0) {
		o.flush()
		if err := o.lock(ctx); err != nil {
			return err
		}
	}
	o.append(header{kind: kindClose}, nil)
	o.closed = true
	o.unlock()
	if err := o.lock(ctx); err != nil { // until the buffer is drained
		return err
	}
	o.unlock()
	return nil
}
