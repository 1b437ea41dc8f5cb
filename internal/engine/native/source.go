package native

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// source reads what a program writes. When the program has ended, last has it
// read what is there already, and then end: who else holds the other end may
// hold it for ever.
type source struct {
	file *os.File
	over atomic.Bool // last was called
	left int         // bytes that may still be read after last
}

// maxLeft bounds what is read after a program's end: a pipe's largest size
// for users (pipe(7), pipe-max-size), lest a process that is left behind keeps
// writing.
const maxLeft = 1 << 20

// last makes Read return what is there, and then io.EOF.
func (s *source) last() {
	s.over.Store(true)
	s.file.SetReadDeadline(time.Unix(1, 0)) // wakes whoever reads
}

func (s *source) Read(b []byte) (int, error) {
	if !s.over.Load() {
		n, err := s.file.Read(b)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	return s.readLeft(b)
}

// readLeft does not wait. The descriptor is one that does not block.
func (s *source) readLeft(b []byte) (n int, err error) {
	conn, err := s.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	b = b[:min(len(b), maxLeft-s.left)]
	closed := conn.Control(func(fd uintptr) {
		for n, err = unix.Read(int(fd), b); err == unix.EINTR; {
			n, err = unix.Read(int(fd), b)
		}
	})
	if closed != nil || err != nil || n == 0 {
		return 0, io.EOF // or nothing is there
	}
	s.left += n
	return n, nil
}
