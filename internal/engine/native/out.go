package native

import (
	"errors"
	"io"
	"sync"
	"time"
)

// queue holds the lines that a program has not taken yet, so that nobody waits
// for it. The goroutine that writes is there only while there is something to
// write.
type queue struct {
	to io.Writer

	mu      sync.Mutex
	lines   [][]byte
	bytes   int           // in lines, and in the one that is being written
	writing chan struct{} // closed when everything is written; nil: nobody writes
	failed  bool          // the other end is closed: lines are dropped
}

// maxQueue bounds what a program may leave unread, in bytes: more than all
// calls that the supervisor can have open at once, and their like in answers.
const maxQueue = 8 << 20

var errFull = errors.New("the program does not read")

// unread is what is said of a program that lets the queue fill up.
const unread = "it did not read what was sent to its host descriptor"

// put sends a line, in time. It never blocks.
func (q *queue) put(line []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.failed:
		return nil
	case q.bytes+len(line) > maxQueue:
		return errFull
	}
	q.lines = append(q.lines, line)
	q.bytes += len(line)
	if q.writing == nil {
		q.writing = make(chan struct{})
		go q.write()
	}
	return nil
}

// write writes until nothing is left to be written.
func (q *queue) write() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) > 0 {
		line := q.lines[0]
		q.lines[0], q.lines = nil, q.lines[1:]
		q.mu.Unlock()
		_, err := q.to.Write(line)
		q.mu.Lock()
		q.bytes -= len(line)
		if err != nil {
			q.failed, q.lines = true, nil
		}
	}
	q.lines = nil
	close(q.writing)
	q.writing = nil
}

// flush waits until everything is written, and not for longer than d.
func (q *queue) flush(d time.Duration) {
	q.mu.Lock()
	writing := q.writing
	q.mu.Unlock()
	if writing != nil {
		within(writing, d)
	}
}
