package native

import (
	"bytes"
	"errors"
	"io"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// maxLineBytes bounds one line of the bridge: the longest input or result of a
// call, and what JSON-RPC puts around it.
const maxLineBytes = max(wire.MaxInput, wire.MaxResult) + 4<<10

// lineBuffer is what an idle bridge keeps, in bytes.
const lineBuffer = 4 << 10

var errLongLine = errors.New("a line is too long")

// lines cuts a stream at its newlines. It never holds more than max bytes and
// a little.
type lines struct {
	from io.Reader
	max  int
	buf  []byte // of which buf[begin:end] is not returned yet
	begin, end,
	seen int // buf[begin:seen] has no newline
}

// next returns the next line without its newline. It is valid until the call
// after. What follows the last newline of a stream is no line, and is dropped.
func (l *lines) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.seen:l.end], '\n'); i >= 0 {
			line := l.buf[l.begin : l.seen+i]
			l.begin = l.seen + i + 1
			l.seen = l.begin
			return line, tooLong(len(line), l.max)
		}
		l.seen = l.end
		if err := tooLong(l.end-l.begin, l.max); err != nil {
			return nil, err
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

func tooLong(n, most int) error {
	if n > most {
		return errLongLine
	}
	return nil
}

// fill reads more behind what is there, into a buffer that has room for it and
// is small when little is there.
func (l *lines) fill() error {
	have := l.end - l.begin
	size := max(lineBuffer, len(l.buf))
	switch {
	case have == 0:
		size = lineBuffer
	case have == len(l.buf):
		size = min(2*have, l.max+lineBuffer)
	}
	to := l.buf
	if size != len(l.buf) {
		to = make([]byte, size)
	}
	copy(to, l.buf[l.begin:l.end])
	l.buf, l.begin, l.end, l.seen = to, 0, have, have
	n, err := l.from.Read(l.buf[have:])
	l.end += n
	if n > 0 {
		return nil // the error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}
