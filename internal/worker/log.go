package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// logger sends the guest's console to the supervisor: at most so many lines a
// second, in batches, from a queue of bounded length. Lines that find no room
// are counted, and the count is sent. Nothing here waits for the channel on the
// guest's goroutine.
type logger struct {
	conn notifier

	mu      sync.Mutex
	taken   bucket // lines
	notices bucket // messages that hold nothing but a count
	lines   []wire.LogLine
	bytes   int // of text in lines
	dropped uint64
	waking  bool // a send is coming
	sending bool // a goroutine is in sendAll: one alone, to keep the order
	stopped bool
	sent    *sync.Cond // sending became false
}

// notifier is the part of *ipc.Conn that a logger needs.
type notifier interface {
	Notify(ctx context.Context, body []byte) error
}

const (
	maxQueuedLines = 2 * wire.MaxLogLines
	maxQueuedBytes = 1 << 20
	maxBatchBytes  = 256 << 10
	batchDelay     = 10 * time.Millisecond // lines that come together travel together

	// The supervisor ends a worker that sends many more messages than it may
	// print lines. A count can wait; a flood of them is still one count.
	noticeRate  = 20
	noticeDelay = 100 * time.Millisecond
)

func newLogger() *logger {
	l := &logger{notices: newBucket(noticeRate)}
	l.sent = sync.NewCond(&l.mu)
	return l
}

// setRate starts the console. A rate of 0 drops everything.
func (l *logger) setRate(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = newBucket(float64(rate))
}

// Log takes one line. See engine.Host.
func (l *logger) Log(level, text string) {
	now := time.Now()
	text = cutText(text)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	if !l.taken.take(now) || len(l.lines) == maxQueuedLines || l.bytes+len(text) > maxQueuedBytes {
		l.dropped++
	} else {
		l.lines = append(l.lines, wire.LogLine{Level: levelOf(level), UnixNano: now.UnixNano(), Text: text})
		l.bytes += len(text)
	}
	l.wake(batchDelay)
}

// wake has what is queued sent soon. The caller holds mu.
func (l *logger) wake(after time.Duration) {
	if l.waking {
		return
	}
	l.waking = true
	time.AfterFunc(after, func() {
		l.mu.Lock()
		l.waking = false
		if !l.sending { // else whoever is at it sends this too
			l.sendAll(context.Background())
		}
		l.mu.Unlock()
	})
}

// send sends what is queued, and returns when it is sent.
func (l *logger) send(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.sending {
		l.sent.Wait()
	}
	l.sendAll(ctx)
}

// sendAll sends batches until there is nothing to send. The caller holds mu,
// which is free while a batch is on its way. An error means that the channel
// ended, and then the process does too.
func (l *logger) sendAll(ctx context.Context) {
	l.sending = true
	for m := l.batch(); m != nil; m = l.batch() {
		l.mu.Unlock()
		b, err := wire.Marshal(wire.MethodLog, m)
		if err == nil {
			err = l.conn.Notify(ctx, b)
		}
		l.mu.Lock()
		if err != nil {
			break
		}
	}
	l.sending = false
	l.sent.Broadcast()
}

// batch takes off the queue what one message holds. It returns nil when there
// is nothing to send now. The caller holds mu.
func (l *logger) batch() *wire.Log {
	if len(l.lines) == 0 && l.dropped == 0 {
		return nil
	}
	if len(l.lines) == 0 && !l.stopped && !l.notices.take(time.Now()) {
		l.wake(noticeDelay)
		return nil
	}
	n, size := 0, 0
	for n < len(l.lines) && n < wire.MaxLogLines && size+len(l.lines[n].Text) <= maxBatchBytes {
		size += len(l.lines[n].Text)
		n++
	}
	m := &wire.Log{Lines: l.lines[:n:n], Dropped: l.dropped}
	l.lines, l.bytes, l.dropped = l.lines[n:], l.bytes-size, 0
	if len(l.lines) == 0 {
		l.lines = nil // a flood's queue goes with it
	}
	return m
}

// close sends what is left, and takes no more.
func (l *logger) close(ctx context.Context) {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.send(ctx)
}

// levelOf keeps to the levels that there are.
func levelOf(level string) string {
	switch level {
	case "debug", "warn", "error":
		return level
	}
	return "info"
}

var cutMark = fmt.Sprintf(" … (cut: a line has at most %d bytes)", wire.MaxLogText)

// cutText shortens a line to what may be sent, at the end of a character, and
// takes no memory of a longer one with it.
func cutText(s string) string {
	if len(s) <= wire.MaxLogText {
		return s
	}
	n := wire.MaxLogText - len(cutMark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n]) + cutMark
}
