// Package awake keeps deadlines in the time in which this process can run.
//
// A program that an operator freezes stops between two instructions, and the
// clock goes on. When it is thawed, a timer would find that everything had taken
// too long. A deadline of this package is looked at every Nap; where it was not
// looked at for much longer than that, the process did not run, and that time
// does not count.
//
// Do not assume that it ends a process which is held back for less: a second and
// a little. Whoever must be certain watches from outside.
package awake

import (
	"context"
	"sync"
	"time"
)

// Nap is the longest time between two looks at a deadline that is set.
const Nap = 250 * time.Millisecond

// lull is how late a look must be to be that of a process that was stopped; no
// busy machine and no processor quota makes a timer as late as this often.
const lull = time.Second

// Deadline is a moment that moves while the process does not run. The zero value
// is none. Its methods may be called concurrently.
type Deadline struct {
	mu          sync.Mutex
	end, looked time.Time // end is zero when none is set
}

// Set makes it a time after now.
func (d *Deadline) Set(now time.Time, after time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end, d.looked = now.Add(after), now
}

// Clear makes it none.
func (d *Deadline) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end = time.Time{}
}

// Left looks at it: how long it is until then, 0 once it has passed; set is
// false if there is none.
func (d *Deadline) Left(now time.Time) (left time.Duration, set bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end.IsZero() {
		return 0, false
	}
	if gap := now.Sub(d.looked); gap > lull {
		d.end = d.end.Add(gap - Nap)
	}
	d.looked = now
	return max(d.end.Sub(now), 0), true
}

// Timeout is context.WithTimeout in the time in which the process runs. At its
// end the context's cause is context.DeadlineExceeded.
func Timeout(parent context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	var d Deadline
	d.Set(time.Now(), after)
	go func() {
		timer := time.NewTimer(min(after, Nap))
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			left, _ := d.Left(time.Now())
			if left == 0 {
				cancel(context.DeadlineExceeded)
				return
			}
			timer.Reset(min(left, Nap))
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
