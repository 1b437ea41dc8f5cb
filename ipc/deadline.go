package ipc

import (
	"errors"
	"io"
	"os"
	"time"
)

// arm sets the deadline that goes with what is awaited: the rest of a frame,
// or, if the connection has an idle limit, anything.
func (r *reader) arm() error {
	partial := r.w > r.r
	switch {
	case r.expired && r.paused():
		r.expired = false
		return r.setDeadline(time.Now().Add(r.frame))
	case r.expired:
		return broken(RuleDeadline, "a frame was not whole after %v", r.frame)
	case r.armed:
		return nil
	case partial && r.frame > 0:
		r.armed = true
		return r.setDeadline(time.Now().Add(r.frame))
	case !partial && r.idle > 0:
		return r.setDeadline(time.Now().Add(r.idle))
	}
	return nil
}

// disarm takes a frame's deadline off: the frame is whole.
func (r *reader) disarm() {
	r.armed, r.expired = false, false
	r.setDeadline(time.Time{}) // an error shows at the next read
}

// late is what to do once a deadline has passed. This process may itself have
// been stopped or frozen meanwhile, so what has arrived is looked at once more
// before the peer is blamed.
func (r *reader) late() error {
	if r.frame == 0 {
		return os.ErrDeadlineExceeded // the handshake's
	}
	r.wait = false
	err := os.ErrDeadlineExceeded
	for errors.Is(err, os.ErrDeadlineExceeded) { // hurry may set it anew, once
		r.file.SetReadDeadline(time.Time{}) // an error shows in the look
		err = r.raw.Read(r.ready)
	}
	r.wait = !r.isHurried()
	r.expired = r.armed && r.wait
	if err != nil {
		return err
	}
	return r.take()
}

// nothing is what it means that a last look found nothing.
func (r *reader) nothing() error {
	switch {
	case r.isHurried():
		return io.ErrUnexpectedEOF
	case r.expired:
		return r.arm()
	}
	return ErrIdle
}

// hurry ends the reading once everything that has arrived is read. It is for
// when the peer is found to be gone: its last words may still be there.
func (r *reader) hurry() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hurried = true
	r.file.SetReadDeadline(time.Unix(1, 0)) // fails only if the file is closed
}

func (r *reader) isHurried() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hurried
}

// setDeadline sets one unless the reading is to end at once.
func (r *reader) setDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hurried {
		return nil
	}
	return r.file.SetReadDeadline(t)
}
