package worker

import (
	"context"
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
	rate    float64 // lines a second
	tokens  float64 // lines that may be taken now; at most two seconds' worth
	filled  time.Time
	lines   []wire.LogLine
	bytes   int // of text in lines
	dropped uint64
	waking  bool // a send is coming
	stopped bool

	sending sync.Mutex // one batch at a time, in order
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
)

func newLogger() *logger { return &logger{} }

// setRate starts the console. A rate of 0 drops everything.
func (l *logger) setRate(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate, l.tokens, l.filled = float64(rate), 2*float64(rate), time.Now()
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
	if !l.take(now) || len(l.lines) == maxQueuedLines || l.bytes+len(text) > maxQueuedBytes {
		l.dropped++
	} else {
		l.lines = append(l.lines, wire.LogLine{Level: levelOf(level), UnixNano: now.UnixNano(), Text: text})
		l.bytes += len(text)
	}
	l.wake()
}

// take uses up one token, if there is one.
func (l *logger) take(now time.Time) bool {
	l.tokens = min(l.tokens+now.Sub(l.filled).Seconds()*l.rate, 2*l.rate)
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// wake has a batch sent soon. The caller holds mu.
func (l *logger) wake() {
	if !l.waking {
		l.waking = true
		time.AfterFunc(batchDelay, func() { l.send(context.Background()) })
	}
}

// send sends what is queued. An error means that the channel ended, and then
// the process does too.
func (l *logger) send(ctx context.Context) {
	l.sending.Lock()
	defer l.sending.Unlock()
	for {
		m, more := l.batch()
		if len(m.Lines) == 0 && m.Dropped == 0 {
			return
		}
		b, err := wire.Marshal(wire.MethodLog, m)
		if err != nil || l.conn.Notify(ctx, b) != nil || !more {
			return
		}
	}
}

// batch takes lines off the queue, up to what one message holds.
func (l *logger) batch() (m *wire.Log, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for n < len(l.lines) && n < wire.MaxLogLines && size+len(l.lines[n].Text) <= maxBatchBytes {
		size += len(l.lines[n].Text)
		n++
	}
	m = &wire.Log{Lines: l.lines[:n:n], Dropped: l.dropped}
	l.lines, l.bytes, l.dropped = l.lines[n:], l.bytes-size, 0
	if len(l.lines) == 0 {
		l.lines = nil
		l.waking = false
	}
	return m, l.waking
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

const cutMark = " … (cut)"

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
