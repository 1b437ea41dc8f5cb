package supervisor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

func put(r *ring[int], n, size int) { r.add(size, func(uint64) int { return n }) }

func collect(t *testing.T, r *ring[int]) (values []int) {
	t.Helper()
	if err := r.each(context.Background(), false, func(v int, _ uint64) error {
		values = append(values, v)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return values
}

func TestRingBounds(t *testing.T) {
	r := newRing[int](3, 100)
	for n := range 5 {
		put(r, n, 10)
	}
	if got := collect(t, r); !slices.Equal(got, []int{2, 3, 4}) {
		t.Errorf("by number: %v", got)
	}
	put(r, 5, 90)
	if got := collect(t, r); !slices.Equal(got, []int{4, 5}) {
		t.Errorf("by size: %v", got)
	}
	put(r, 6, 1000)
	if got := collect(t, r); !slices.Equal(got, []int{6}) {
		t.Errorf("one that is too large alone: %v", got)
	}
	r.shrink(1)
	put(r, 7, 1)
	if got := collect(t, r); !slices.Equal(got, []int{7}) || r.size != 1 {
		t.Errorf("after shrink: %v, size %d", got, r.size)
	}
	r.close()
	put(r, 8, 1)
	if got := collect(t, r); !slices.Equal(got, []int{7}) {
		t.Errorf("after close: %v", got)
	}
}

func TestRingFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing[int](1000, 1000)
		put(r, 0, 1)
		var got []int
		done := make(chan error, 1)
		go func() {
			done <- r.each(context.Background(), true, func(v int, _ uint64) error {
				got = append(got, v)
				return nil
			})
		}()
		for n := 1; n < 300; n++ {
			put(r, n, 1)
			if n%100 == 0 {
				synctest.Wait()
			}
		}
		r.close()
		if err := <-done; err != nil || len(got) != 300 || got[299] != 299 {
			t.Errorf("got %d values, %v", len(got), err)
		}
	})
}

func TestRingFollowEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing[int](10, 10)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := r.each(ctx, true, func(int, uint64) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestRingEvict(t *testing.T) {
	r := newRing[int](10, 1000)
	for n := range 8 {
		put(r, n, 1)
	}
	even := func(n int) bool { return n%2 == 0 }
	var got []int
	var missed uint64
	err := r.each(context.Background(), false, func(v int, lost uint64) error {
		got, missed = append(got, v), missed+lost
		return nil
	})
	if err != nil || len(got) != 8 || missed != 0 {
		t.Errorf("all of them: %v, %d missed, %v", got, missed, err)
	}
	r.evict(1, even)
	if got := collect(t, r); !slices.Equal(got, []int{1, 3, 5, 6, 7}) || r.size != 5 {
		t.Errorf("left %v, size %d", got, r.size)
	}
	r.evict(1, even)
	put(r, 8, 1)
	r.evict(0, even)
	put(r, 9, 1)
	if got := collect(t, r); !slices.Equal(got, []int{1, 3, 5, 7, 9}) {
		t.Errorf("left %v", got)
	}
	if entries, _ := r.read(6); len(entries) != 2 || entries[0].seq != 7 || entries[1].seq != 9 {
		t.Errorf("from 6 on: %v", entries)
	}
}

// A reader that is slow holds nobody up, and is told what it missed.
func TestRingSlowReader(t *testing.T) {
	r := newRing[int](10, 1000)
	for n := range 10 {
		put(r, n, 1)
	}
	var total, missed uint64
	err := r.each(context.Background(), false, func(v int, lost uint64) error {
		if v == 0 {
			for n := 10; n < 500; n++ { // the writer overtakes by far
				put(r, n, 1)
			}
		}
		total++
		missed += lost
		return nil
	})
	if err != nil || total+missed != 500 || missed == 0 {
		t.Errorf("%d read and %d missed of 500, %v", total, missed, err)
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBucket(10, 5, now)
	take := func(n int) (ok int) {
		for range n {
			if b.take(1, now) {
				ok++
			}
		}
		return ok
	}
	if got := take(20); got != 5 {
		t.Errorf("%d at once, want the burst of 5", got)
	}
	now = now.Add(300 * time.Millisecond)
	if got := take(20); got != 3 {
		t.Errorf("%d after 0.3 s, want 3", got)
	}
	now = now.Add(time.Hour)
	if got := take(20); got != 5 {
		t.Errorf("%d after an hour, want the burst of 5", got)
	}
}

func TestConsole(t *testing.T) {
	s := DefaultSettings()
	born := time.Unix(1000, 0)
	c := newConsole(10, s, born)
	now := born.Add(time.Second)
	many := make([]wire.LogLine, 400)
	for n := range many {
		many[n] = wire.LogLine{Level: "info", Text: fmt.Sprint(n), UnixNano: born.UnixNano() + int64(n)}
	}
	burst := 20 + wire.MaxLogLines
	if told := c.add(wire.Log{Lines: many}, now); told != uint64(400-burst) {
		t.Errorf("told of %d dropped lines, want %d", told, 400-burst)
	}
	if told := c.add(wire.Log{Lines: many, Dropped: 7}, now); told != 0 {
		t.Errorf("told of %d again at once", told)
	}
	if told := c.add(wire.Log{Dropped: math.MaxUint64}, now.Add(logDroppedInterval)); told != math.MaxUint64 {
		t.Errorf("dropped wraps to %d", told)
	}
	c.close(now)
	kept, dropped := c.counts()
	if kept != uint64(burst) || dropped != math.MaxUint64 {
		t.Errorf("kept %d, dropped %d", kept, dropped)
	}
	var last line
	c.lines.each(context.Background(), true, func(l line, _ uint64) error { last = l; return nil })
	if last.level != "" || last.dropped != math.MaxUint64 {
		t.Errorf("the last line is %+v, want one that tells what was dropped", last)
	}
}

// The worker's clock counts within its life only.
func TestConsoleTime(t *testing.T) {
	born := time.Unix(1000, 0)
	now := born.Add(time.Minute)
	c := newConsole(10, DefaultSettings(), born)
	for claim, want := range map[int64]time.Time{
		0:                               now,
		math.MinInt64:                   now,
		math.MaxInt64:                   now,
		born.UnixNano() + 5:             born.Add(5),
		now.Add(time.Second).UnixNano(): now,
	} {
		if got := c.plausible(claim, now); !got.Equal(want) {
			t.Errorf("claim %d gives %v, want %v", claim, got, want)
		}
	}
}

func TestCapture(t *testing.T) {
	r, w, err := pipe("test", readEnd)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c, said := &capture{}, make(chan struct{})
	go c.read(r, said)
	line := strings.Repeat("x", 99) + "\n"
	w.WriteString("first\n")
	for range 300 {
		w.WriteString(line)
	}
	w.WriteString("last\xff")
	w.Close()
	<-said
	got := c.String()
	if !strings.HasPrefix(got, "first\n") || !strings.HasSuffix(got, "last\uFFFD") || !strings.Contains(got, "[…]") {
		t.Errorf("kept %.20q … %.20q", got, got[len(got)-20:])
	}
	if len(got) > captureHead+captureTail+20 {
		t.Errorf("kept %d bytes", len(got))
	}
	c.close()
}
