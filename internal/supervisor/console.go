package supervisor

import (
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// line is a console line as it is kept. One with an empty level is not the
// program's: it only tells how many were left out.
type line struct {
	time    time.Time
	level   string
	text    string
	dropped uint64 // lines left out before this one
}

const (
	lineOverhead = 64       // bytes that a kept line costs beside its text
	endedBytes   = 64 << 10 // of console text kept of an ended program
)

// console keeps a program's latest lines. The worker limits its own rate; this
// holds one that does not.
type console struct {
	lines *ring[line]
	born  time.Time

	mu      sync.Mutex
	rate    bucket
	pending uint64 // dropped since the last kept line
	kept    uint64
	dropped uint64
	told    time.Time // of the last log_dropped event
}

// newConsole makes a console that takes rate lines a second in the long run,
// and more at once than an honest worker, which counts as well, would let
// through: what arrives late and together was in time when it was printed.
func newConsole(rate int, s Settings, now time.Time) *console {
	return &console{
		lines: newRing[line](s.LogLines, s.LogBytes),
		born:  now,
		rate:  newBucket(float64(rate), 2*float64(rate)+wire.MaxLogLines, now),
	}
}

// add takes the lines of one message. It returns how many lines are dropped
// altogether when that should be told, at most once an interval; 0 otherwise.
func (c *console) add(l wire.Log, now time.Time) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(l.Dropped)
	for _, l := range l.Lines {
		if !c.rate.take(1, now) {
			c.drop(1)
			continue
		}
		kept := line{time: c.plausible(l.UnixNano, now), level: l.Level, text: l.Text, dropped: c.pending}
		c.pending = 0
		c.kept++
		c.lines.add(len(l.Text)+lineOverhead, func(uint64) line { return kept })
	}
	if c.pending == 0 || now.Sub(c.told) < logDroppedInterval {
		return 0
	}
	c.told = now
	return c.dropped
}

// drop counts, without ever wrapping: n is a claim.
func (c *console) drop(n uint64) {
	c.pending = saturated(c.pending, n)
	c.dropped = saturated(c.dropped, n)
}

func saturated(a, b uint64) uint64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return ^uint64(0)
}

// plausible takes the worker's clock only within its own life.
func (c *console) plausible(nano int64, now time.Time) time.Time {
	t := time.Unix(0, nano)
	if t.Before(c.born) || t.After(now) {
		return now
	}
	return t
}

// close ends the console with what is left to say, and gives up the memory
// that only a running program needs.
func (c *console) close(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending > 0 {
		left := c.pending
		c.lines.add(lineOverhead, func(uint64) line { return line{time: now, dropped: left} })
	}
	c.lines.close()
	c.lines.shrink(endedBytes)
}

// follow has the console begin with the lines of one that was closed.
func (c *console) follow(old *console) {
	kept, dropped := old.counts()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept, c.dropped = kept, dropped
	c.lines.adopt(old.lines)
}

// counts gives how many lines were kept and dropped so far.
func (c *console) counts() (kept, dropped uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept, c.dropped
}
