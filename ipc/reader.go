package ipc

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reader cuts the stream into records and keeps descriptors with the bytes
// that they came with. One goroutine uses it; hurry alone is for others.
type reader struct {
	file  *os.File
	raw   syscall.RawConn
	ready func(fd uintptr) bool // receive, made a value once

	buf  *[bufferSize]byte // nil while there is nothing in it
	r, w int               // what is not yet taken is buf[r:w]
	at   uint64            // where in the stream buf[r] is
	last uint64            // where the last record's frame began

	room  []byte // for ancillary data; nil where descriptors are refused
	files []batch
	got   received
	wait  bool // whether receive may wait for bytes

	frame   time.Duration // Limits.Frame; 0 during the handshake
	idle    time.Duration // Limits.Idle
	armed   bool          // a deadline is set
	expired bool          // and has passed
	paused  func() bool   // Config.Paused

	mu      sync.Mutex // holds the deadline against hurry
	hurried bool

	reads, bytes atomic.Uint64
}

func newReader(f *os.File) (*reader, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &reader{file: f, raw: raw, wait: true}
	r.ready = r.receive
	return r, nil
}

// next returns the next record: a frame without its length. It is valid until
// the next call.
func (r *reader) next(least int) ([]byte, error) {
	for {
		n, err := r.whole(least)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			return r.cut(n), nil
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// whole gives the length of the record at the front, or 0 if it is not all
// there. A length out of bounds is an error as soon as it is seen.
func (r *reader) whole(least int) (int, error) {
	if r.w-r.r < lengthSize {
		return 0, nil
	}
	n := binary.BigEndian.Uint32(r.buf[r.r:])
	if n > maxRecord || int(n) < least {
		return 0, broken(RuleLength, "%d is not between %d and %d", n, least, maxRecord)
	}
	if r.w-r.r < lengthSize+int(n) {
		return 0, nil
	}
	return int(n), nil
}

// cut takes a record of n bytes off the front.
func (r *reader) cut(n int) []byte {
	record := r.buf[r.r+lengthSize:][:n:n]
	r.last = r.at
	r.r += lengthSize + n
	r.at += uint64(lengthSize + n)
	if r.armed {
		r.disarm()
	}
	return record
}

// fill receives at least one byte more.
func (r *reader) fill() error {
	r.makeRoom()
	if err := r.arm(); err != nil {
		return err
	}
	err := r.raw.Read(r.ready)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return r.late()
	}
	if err != nil {
		return err
	}
	return r.take()
}

// makeRoom moves what is left to the front, or gives the buffer back.
func (r *reader) makeRoom() {
	switch {
	case r.r == r.w && r.buf != nil:
		putBuffer(r.buf)
		r.buf, r.r, r.w = nil, 0, 0
	case r.r > 0:
		r.w = copy(r.buf[:], r.buf[r.r:r.w])
		r.r = 0
	}
}

// receive makes one recvmsg(2); the poller calls it whenever there may be
// something. A buffer is held only if there was.
func (r *reader) receive(fd uintptr) bool {
	if r.buf == nil {
		r.buf = getBuffer()
	}
	r.got = recvmsg(int(fd), r.buf[r.w:], r.room)
	if r.got.err == unix.EAGAIN {
		if r.w == 0 {
			putBuffer(r.buf)
			r.buf = nil
		}
		return !r.wait
	}
	return true
}

// take books what receive got.
func (r *reader) take() error {
	r.reads.Add(1)
	switch g := r.got; {
	case g.err == unix.EAGAIN: // only when not waiting
		return r.nothing()
	case g.err != nil && !gone(g.err):
		return os.NewSyscallError("recvmsg", g.err)
	case g.err != nil || g.n == 0:
		return r.end()
	default:
		from := r.at + uint64(r.w-r.r)
		r.w += g.n
		r.bytes.Add(uint64(g.n))
		if g.oobn == 0 && g.flags&unix.MSG_CTRUNC == 0 {
			return nil
		}
		return r.collect(batch{from: from, to: from + uint64(g.n)})
	}
}

// end says how the stream ended.
func (r *reader) end() error {
	if r.w > r.r {
		return broken(RuleTruncated, "the stream ends %d bytes into it", r.w-r.r)
	}
	return io.ErrUnexpectedEOF
}

// close gives back what is held, once the reading has ended.
func (r *reader) close() {
	for _, b := range r.files {
		closeAll(b.fds)
	}
	r.files = nil
	if r.buf != nil {
		putBuffer(r.buf)
		r.buf, r.r, r.w = nil, 0, 0
	}
}
