package js

import (
	"context"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// Event tells the program of a moment in its life. See engine.Engine. It waits
// its turn among the calls.
func (e *Engine) Event(ctx context.Context, event engine.Event, done func([]byte, error)) {
	c := &call{ctx: ctx, event: &event, promise: undefined}
	c.done = func(saved []byte, err error) {
		if string(saved) == "null" {
			saved = nil
		}
		done(saved, err)
	}
	c.stop = context.AfterFunc(ctx, e.nudge)
	if err := e.enqueue(c); err != nil {
		c.stop()
		done(nil, err)
	}
}

// beginEvent has the prelude dispatch the event: event(id, type, page, detail as
// JSON or "").
func (e *Engine) beginEvent(c *call) error {
	args := []value{integer(e.book(c))}
	defer func() {
		for _, v := range args[1:] {
			e.drop(v)
		}
	}()
	for _, s := range []string{string(c.event.Type), c.event.Page, string(c.event.Detail)} {
		v := e.newString(s)
		if isThrown(v) {
			return e.guestOrExit(e.exception())
		}
		args = append(args, v)
	}
	c.promise = e.call(theRoot().entry[entryEvent], args...)
	if isThrown(c.promise) {
		return e.guestOrExit(e.exception())
	}
	return nil
}

// book gives a call its number.
func (e *Engine) book(c *call) int32 {
	c.id = e.nextID()
	e.pending[c.id] = c
	return c.id
}
