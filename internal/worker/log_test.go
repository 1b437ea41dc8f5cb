package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// sink takes messages, as a channel would. While it is stuck, Notify blocks.
type sink struct {
	t        *testing.T
	mu       sync.Mutex
	lines    []wire.LogLine
	dropped  uint64
	messages int
	stuck    chan struct{}
}

func (s *sink) Notify(_ context.Context, body []byte) error {
	if s.stuck != nil {
		<-s.stuck
	}
	method, rest, err := wire.Split(body)
	if err != nil || method != wire.MethodLog {
		s.t.Errorf("message %d: %v", method, err)
	}
	var m wire.Log
	if err := wire.Unmarshal(rest, &m); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, m.Lines...)
	s.dropped += m.Dropped
	s.messages++
	return nil
}

func newTestLogger(t *testing.T, rate int) (*logger, *sink) {
	s := &sink{t: t}
	l := newLogger()
	l.conn = s
	l.setRate(rate)
	return l, s
}

func TestLogArrivesInOrderAndInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newTestLogger(t, 1000)
		for i := range 600 {
			l.Log("info", fmt.Sprint(i))
		}
		time.Sleep(time.Second)
		l.close(context.Background())
		if len(s.lines)+int(s.dropped) != 600 || len(s.lines) != maxQueuedLines {
			t.Errorf("%d lines and %d dropped", len(s.lines), s.dropped)
		}
		for i, line := range s.lines {
			if line.Text != fmt.Sprint(i) {
				t.Fatalf("line %d is %q", i, line.Text)
			}
		}
		if s.messages > 3 {
			t.Errorf("%d messages for %d lines", s.messages, len(s.lines))
		}
	})
}

// A program that prints far above its rate is held to it, and every line is
// either sent or counted.
func TestLogRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, seconds, all = 50, 10, 100000
		l, s := newTestLogger(t, rate)
		for range all {
			l.Log("info", "x")
			time.Sleep(seconds * time.Second / all)
		}
		l.close(context.Background())
		if got, most := len(s.lines), rate*(seconds+2)+1; got > most || got < rate*seconds {
			t.Errorf("%d lines in %d s at %d a second", got, seconds, rate)
		}
		if got := len(s.lines) + int(s.dropped); got != all {
			t.Errorf("%d of %d lines are accounted for", got, all)
		}
	})
}

// Every answered call sends what was printed. The messages must stay below what
// the supervisor takes for an attack: its rate is the lines' plus 100.
func TestLogMessagesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, seconds = 200, 20
		l, s := newTestLogger(t, rate)
		for range 1000 * seconds {
			l.Log("info", "x")
			l.send(context.Background())
			time.Sleep(time.Millisecond)
		}
		l.close(context.Background())
		if most := (rate + noticeRate) * (seconds + 2); s.messages > most {
			t.Errorf("%d messages in %d s, more than %d", s.messages, seconds, most)
		}
		if got := len(s.lines) + int(s.dropped); got != 1000*seconds {
			t.Errorf("%d lines are accounted for", got)
		}
	})
}

// A channel that is stuck stops nobody, and takes a bounded queue.
func TestLogDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newTestLogger(t, 1e6)
		s.stuck = make(chan struct{})
		line := strings.Repeat("x", wire.MaxLogText)
		for range 10000 {
			l.Log("info", line)
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if l.bytes > maxQueuedBytes || len(l.lines) > maxQueuedLines {
			t.Errorf("%d bytes in %d lines are queued", l.bytes, len(l.lines))
		}
		close(s.stuck)
		l.close(context.Background())
		if got := len(s.lines) + int(s.dropped); got != 10000 {
			t.Errorf("%d lines are accounted for", got)
		}
	})
}

func TestLogRateZeroDropsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newTestLogger(t, 0)
		l.Log("error", "x")
		l.close(context.Background())
		if len(s.lines) != 0 || s.dropped != 1 {
			t.Errorf("%d lines, %d dropped", len(s.lines), s.dropped)
		}
	})
}

func TestCutText(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("x", wire.MaxLogText), strings.Repeat("x", wire.MaxLogText+1), strings.Repeat("é😀", wire.MaxLogText)} {
		got := cutText(s)
		if len(got) > wire.MaxLogText || !utf8.ValidString(got) {
			t.Errorf("%.20q of %d bytes became %d bytes", s, len(s), len(got))
		}
		if cut := len(s) > wire.MaxLogText; cut != strings.HasSuffix(got, cutMark) {
			t.Errorf("%.20q of %d bytes: cut %v", s, len(s), cut)
		}
	}
}

func TestStackFor(t *testing.T) {
	for heap, want := range map[int64]int64{0: minStack, 32 << 20: 8 << 20, 4 << 30: maxStack} {
		if got := stackFor(heap); got != want {
			t.Errorf("stackFor(%d) = %d, want %d", heap, got, want)
		}
	}
}
