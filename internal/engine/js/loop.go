package js

import (
	"context"
	"errors"
	"time"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// errIdle is loop's answer when nothing is left that could ever change done.
var errIdle = errors.New("nothing left to wait for")

// loop runs turns until done, until the program stops, or until ctx ends.
//
// One turn is one call's start, one answer of the host's, one timer's callback,
// or whatever was left of jobs, each with all the promise jobs that it brings
// about. They take turns, so that none starves the others.
func (e *Engine) loop(ctx context.Context, done func() bool) error {
	release := context.AfterFunc(ctx, func() { e.watch.cancelled.Store(true) })
	defer release()
	for {
		switch {
		case e.stop != nil:
			return e.stop
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			e.exit(mp.CauseCallLimit, "it was not ready within "+e.program.Turn.String())
		case ctx.Err() != nil:
			return ctx.Err()
		case done():
			return nil
		case e.suspended:
			<-ctx.Done()
			continue
		case e.watch.over(e):
			continue
		}
		if e.step() {
			continue
		}
		if err := e.wait(ctx); err != nil {
			return err
		}
	}
}

// step runs at most one turn of each kind, and reports whether there was any.
func (e *Engine) step() bool {
	if e.resizeHeap() || e.suspend() {
		return true
	}
	ran := e.runAnswer()
	ran = e.runCall() || ran
	return e.runTimer() || ran
}

// wait sleeps until there may be something to do.
func (e *Engine) wait(ctx context.Context) error {
	var due <-chan time.Time
	if e.alarm >= 0 {
		t := time.NewTimer(time.Duration((e.alarm - e.now()) * float64(time.Millisecond)))
		defer t.Stop()
		due = t.C
	} else if isUndefined(e.exports) && e.asks.open == 0 {
		return errIdle // no call can come yet
	}
	select {
	case <-due:
	case <-e.wake:
	case <-ctx.Done():
	}
	return nil
}

// turn runs f and the jobs that follow from it under the turn's time limit.
func (e *Engine) turn(f func()) {
	e.goOn()
	theRoot().heap.refused = false
	e.watch.begin(e.program.Turn)
	defer e.watch.end()
	f()
	for e.runJobs(); e.reportRejections(); {
		e.runJobs() // of the listeners that heard of the rejections
	}
	if theRoot().heap.refused {
		e.sawLimit()
	}
}

// runJobs runs promise jobs until none is left.
func (e *Engine) runJobs() {
	for e.stop == nil {
		if e.watch.over(e) {
			return
		}
		switch r := lib.XJS_ExecutePendingJob(e.tls, theRoot().runtime, 0); {
		case r == 0:
			return
		case r < 0:
			e.uncaught(e.exception())
		}
	}
}

// runTimer runs the callback of one timer that is due.
func (e *Engine) runTimer() bool {
	if e.alarm < 0 || e.alarm > e.now() || e.watch.over(e) {
		return false
	}
	e.turn(func() {
		r := e.call(theRoot().entry[entryTick])
		if isThrown(r) {
			e.uncaught(e.exception())
		}
		e.drop(r)
	})
	return true
}

// now is in milliseconds since the program's start.
func (e *Engine) now() float64 { return float64(time.Since(e.epoch)) / float64(time.Millisecond) }
