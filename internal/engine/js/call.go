package js

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// call is one call of an exported function, or an event.
type call struct {
	ctx   context.Context
	name  string
	input []byte
	event *engine.Event // of an event alone
	done  func([]byte, error)
	stop  func() bool // stops watching ctx
	over  bool        // done was called

	id      int32 // while pending
	promise value // of the prelude's invoke, while pending
}

// maxQueue bounds the calls that have not begun.
const maxQueue = 1024

var errQueue = fmt.Errorf("%d calls are waiting, which is the limit", maxQueue)

// Call runs an exported function. See engine.Engine. The error is a
// *mp.GuestError, wraps mp.ErrNotFound, is a *engine.TooLargeError, an
// *engine.Exit, or ctx's.
//
// A context that is cancelled gives the call up: the function may go on, and
// its result is thrown away. One that reaches its deadline ends the program.
func (e *Engine) Call(ctx context.Context, name string, input []byte, done func([]byte, error)) {
	c := &call{ctx: ctx, name: name, input: input, done: done, promise: undefined}
	c.stop = context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			e.watch.late.Store(true)
		}
		e.nudge()
	})
	if err := e.enqueue(c); err != nil {
		c.stop()
		done(nil, err)
	}
}

func (e *Engine) enqueue(c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed != nil {
		return e.closed
	}
	if len(e.queue) == maxQueue {
		return errQueue
	}
	e.queue = append(e.queue, c)
	e.nudge()
	return nil
}

func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default: // it is awake, or will be
	}
}

func (e *Engine) dequeue() *call {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 || isUndefined(e.exports) {
		return nil
	}
	c := e.queue[0]
	e.queue[0] = nil
	e.queue = e.queue[1:]
	return c
}

// shut answers every call that is open with err, and refuses more.
func (e *Engine) shut(err error) {
	e.asks.over()
	e.mu.Lock()
	if e.closed == nil {
		e.closed = err
	}
	queue, suspending := e.queue, e.suspending
	e.queue, e.suspending = nil, nil
	e.mu.Unlock()
	if suspending != nil {
		suspending.done(err)
	}
	for _, c := range queue {
		c.finish(nil, err)
	}
	for _, c := range e.pending {
		c.finish(nil, err)
	}
	clear(e.pending)
}

func (c *call) finish(output []byte, err error) {
	if !c.over {
		c.over = true
		c.stop()
		c.done(output, err)
	}
}

// runCall starts the next call, and first gives up what was cancelled.
func (e *Engine) runCall() bool {
	for id, c := range e.pending {
		if err := c.ctx.Err(); err != nil && !e.watch.late.Load() {
			e.settled(id)
			c.finish(nil, err)
		}
	}
	if e.watch.over(e) {
		return true // the loop sees why
	}
	c := e.dequeue()
	if c == nil {
		return false
	}
	if err := c.ctx.Err(); err != nil {
		c.finish(nil, err)
		return true
	}
	e.turn(func() {
		if err := e.begin(c); err != nil {
			delete(e.pending, c.id)
			c.finish(nil, err)
		}
	})
	return true
}

// begin calls the function. Its result comes through settle or fail, in this
// turn or in a later one.
func (e *Engine) begin(c *call) error {
	if c.event != nil {
		return e.beginEvent(c)
	}
	f, err := e.exported(c.name)
	if err != nil {
		return err
	}
	defer e.drop(f)
	args := []value{undefined, f}
	if len(c.input) > 0 {
		v, err := e.parse(c.input)
		if err != nil {
			return err
		}
		defer e.drop(v)
		args = append(args, v)
	}
	c.input = nil
	args[0] = integer(e.book(c))
	c.promise = e.call(theRoot().entry[entryInvoke], args...)
	if isThrown(c.promise) {
		return e.guestOrExit(e.exception())
	}
	return nil
}

// nextID is a number that no pending call has.
func (e *Engine) nextID() int32 {
	for {
		e.lastID = (e.lastID + 1) & (1<<30 - 1)
		if _, taken := e.pending[e.lastID]; !taken {
			return e.lastID
		}
	}
}

func (e *Engine) exported(name string) (value, error) {
	f := e.get(e.exports, name)
	if isThrown(f) {
		return undefined, e.guestOrExit(e.exception())
	}
	if lib.XJS_IsFunction(e.tls, e.ctx, f) == 0 {
		e.drop(f)
		return undefined, fmt.Errorf("exported function %q: %w", name, mp.ErrNotFound)
	}
	return f, nil
}

// parse reads a call's input.
func (e *Engine) parse(input []byte) (value, error) {
	if !utf8.Valid(input) {
		return undefined, &mp.GuestError{Name: "SyntaxError", Message: "the input is not JSON: it is not UTF-8"}
	}
	s := newSource(unsafe.String(unsafe.SliceData(input), len(input)))
	defer s.free()
	v := withC("input", func(name uintptr) value {
		return lib.XJS_ParseJSON(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), name)
	})
	if !isThrown(v) {
		return v, nil
	}
	err := e.guestOrExit(e.exception())
	if g, ok := err.(*mp.GuestError); ok && g.Name == "SyntaxError" {
		return undefined, &mp.GuestError{Name: g.Name, Message: "the input is not JSON: " + g.Message}
	}
	return undefined, err
}

// settled takes call id, or the answer is false: it was given up.
func (e *Engine) settled(id int32) (*call, bool) {
	c, ok := e.pending[id]
	if ok {
		delete(e.pending, id)
		e.drop(c.promise)
	}
	return c, ok
}

// callOf is the call whose invoke returned promise. That promise is rejected
// when invoke itself came to nothing, for want of stack or memory: it would
// have called fail otherwise.
func (e *Engine) callOf(promise uintptr) (int32, bool) {
	for id, c := range e.pending {
		if isObject(c.promise) && pointer(c.promise) == promise {
			return id, true
		}
	}
	return 0, false
}

// settle ends call id with the JSON in v, or undefined for null.
func (e *Engine) settle(id int32, v value) {
	c, ok := e.settled(id)
	if !ok {
		return
	}
	if !isString(v) {
		c.finish([]byte("null"), nil)
		return
	}
	s, length, ok := e.text(v, e.program.Result)
	switch {
	case !ok:
		c.finish(nil, e.guestOrExit(e.exception()))
	case length > e.program.Result:
		c.finish(nil, &engine.TooLargeError{Size: int64(length), Limit: int64(e.program.Result)})
	default:
		c.finish([]byte(s), nil)
	}
}

// fail ends call id with what the function, or JSON.stringify, threw.
func (e *Engine) fail(id int32, v value) {
	err := e.guestOrExit(e.dup(v))
	if c, ok := e.settled(id); ok {
		c.finish(nil, err)
	}
}
