package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// call is one call of an exported function that has not ended.
type call struct {
	ctx   context.Context
	name  string
	input []byte
	done  func([]byte, error)
	once  sync.Once // over done
}

func (c *call) finish(output []byte, err error) {
	c.once.Do(func() { c.done(output, err) })
}

// maxQueue bounds the calls that have not begun.
const maxQueue = 1024

var errQueue = errors.New("too many calls are waiting")

// Call runs an exported function. See engine.Engine. Calls run one after the
// other. The error is a *mp.GuestError, wraps mp.ErrNotFound, is a
// *engine.TooLargeError, an *engine.Exit, or ctx's.
func (e *Engine) Call(ctx context.Context, name string, input []byte, done func([]byte, error)) {
	if len(input) > 0 && !(utf8.Valid(input) && json.Valid(input)) {
		done(nil, &mp.GuestError{Name: "SyntaxError", Message: "the input is not JSON"})
		return
	}
	e.enqueue(&call{ctx: ctx, name: name, input: input, done: done})
}

// event is the input of mp_event.
type event struct {
	Type   mp.EventType    `json:"type"`
	Page   string          `json:"page,omitempty"`
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Event calls mp_event, if the module exports it. See engine.Engine. A function
// that fails is told of on the console, and the program goes on.
func (e *Engine) Event(ctx context.Context, ev engine.Event, done func([]byte, error)) {
	if len(ev.Detail) > 0 && !json.Valid(ev.Detail) {
		done(nil, errors.New("the detail of an event is not JSON"))
		return
	}
	input := quoted(event{ev.Type, ev.Page, ev.Detail})
	e.enqueue(&call{ctx: ctx, name: eventName, input: input, done: func(saved []byte, err error) {
		var threw *mp.GuestError
		switch {
		case errors.Is(err, mp.ErrNotFound):
			saved, err = nil, nil
		case errors.As(err, &threw):
			e.host.Log("error", fmt.Sprintf("%s failed at the event %s: %v", eventName, ev.Type, threw))
			saved, err = nil, nil
		case string(saved) == "null":
			saved = nil
		}
		done(saved, err)
	}})
}

func (e *Engine) enqueue(c *call) {
	e.mu.Lock()
	err := e.closed
	if err == nil && len(e.queue) == maxQueue {
		err = errQueue
	}
	if err == nil {
		e.queue = append(e.queue, c)
	}
	e.mu.Unlock()
	if err != nil {
		c.finish(nil, err)
		return
	}
	select {
	case e.wake <- struct{}{}:
	default: // it is awake, or will be
	}
}

func (e *Engine) dequeue() *call {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		return nil
	}
	c := e.queue[0]
	e.queue[0] = nil
	e.queue = e.queue[1:]
	return c
}

// shut answers every call that has not begun with err, and refuses more.
func (e *Engine) shut(err error) {
	e.end()
	e.mu.Lock()
	if e.closed == nil {
		e.closed = err
	}
	queue := e.queue
	e.queue = nil
	e.mu.Unlock()
	for _, c := range queue {
		c.finish(nil, err)
	}
}

// serve runs one call. Its error ends the program. A call that its caller gives up
// has ended for the caller; the guest is not interrupted, and the next call waits
// for it, within the time of this one.
func (e *Engine) serve(ctx context.Context, c *call) error {
	if err := c.ctx.Err(); err != nil {
		c.finish(nil, err)
		return nil
	}
	turn, cancel := awake.Timeout(ctx, e.program.Turn)
	defer cancel()
	over := make(chan struct{})
	defer context.AfterFunc(c.ctx, func() {
		if errors.Is(context.Cause(c.ctx), context.DeadlineExceeded) {
			close(over)
		} else {
			c.finish(nil, c.ctx.Err())
		}
	})()
	var output []byte
	var err error
	select {
	case <-guest(func() { output, err = e.invoke(c) }):
		c.finish(output, err)
		return ending(err)
	case <-over:
	case <-turn.Done():
	}
	end := ctx.Err()
	if end == nil {
		end = overdue("the call of %s took longer than %v", c.name, e.program.Turn)
	}
	c.finish(nil, end)
	return end
}

// ending is err if that ends the program.
func ending(err error) error {
	var exit *engine.Exit
	if errors.As(err, &exit) {
		return exit
	}
	return nil
}

// invoke calls the function, on the guest's goroutine.
func (e *Engine) invoke(c *call) ([]byte, error) {
	if !e.callable[c.name] {
		return nil, fmt.Errorf("exported function %q: %w", c.name, mp.ErrNotFound)
	}
	defer e.stdout.flush()
	defer e.stderr.flush()
	e.now = exchange{input: c.input}
	defer func() { e.now = exchange{} }()
	// A new one for each call: it has a stack, which has grown as needed.
	results, err := e.module.ExportedFunction(c.name).Call(e.life)
	if err != nil {
		return nil, outcomeOf(err)
	}
	return e.now.outcome(results, e.program.Result)
}

// outcome is what the exchange came to when the function has returned.
func (x *exchange) outcome(results []uint64, limit int) ([]byte, error) {
	status := uint32(0)
	if len(results) > 0 {
		status = uint32(results[0])
	}
	switch {
	case x.failed:
		return nil, &mp.GuestError{Name: "Error", Message: x.message}
	case status != 0:
		return nil, &mp.GuestError{Name: "Error", Message: fmt.Sprintf("the function returned %d", int32(status))}
	case x.tooLarge > 0:
		return nil, &engine.TooLargeError{Size: x.tooLarge, Limit: int64(limit)}
	case x.output == nil:
		return []byte("null"), nil
	case !(utf8.Valid(x.output) && json.Valid(x.output)):
		return nil, &mp.GuestError{Name: "SyntaxError", Message: "the output is not JSON"}
	}
	return x.output, nil
}
