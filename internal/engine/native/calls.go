package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// call is a call of one of the program's functions that is not answered yet.
type call struct {
	name string
	done func([]byte, error)
	stop func() bool // stops watching its context
}

func (c *call) finish(output []byte, err error) {
	if c.stop != nil {
		c.stop()
	}
	c.done(output, err)
}

// calls are those that are open. Whoever takes one out finishes it.
type calls struct {
	mu     sync.Mutex
	open   map[uint64]*call
	last   uint64
	closed error // set: no more calls
}

// maxCalls bounds the open calls.
const maxCalls = 1024

var (
	errQueue  = fmt.Errorf("%d calls are waiting, which is the limit", maxCalls)
	errClosed = &mp.GuestError{Name: "Error", Message: "the program has closed its host descriptor"}
)

// Call sends a request to the program. See engine.Engine. The error is a
// *mp.GuestError, wraps mp.ErrNotFound, is a *engine.TooLargeError, an
// *engine.Exit, or ctx's.
func (e *Engine) Call(ctx context.Context, name string, input []byte, done func([]byte, error)) {
	params, err := compact(input)
	if err != nil {
		done(nil, err)
		return
	}
	c := &call{name: name, done: done}
	id, err := e.calls.add(c)
	if err != nil {
		done(nil, err)
		return
	}
	e.calls.watch(ctx, id, c, func() { e.giveUp(ctx, id) })
	if e.bridge.out.put(request(id, name, params)) != nil {
		e.end(mp.CauseProtocol, unread) // which finishes every call
	}
}

// giveUp ends a call whose context has ended, and at a deadline the program.
func (e *Engine) giveUp(ctx context.Context, id uint64) {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		e.end(mp.CauseCallLimit, "a call was not answered within "+e.program.Turn.String())
		return // Run finishes every call
	}
	if c, ok := e.calls.take(id); ok {
		c.done(nil, ctx.Err())
	}
}

// compact leaves nothing in what goes to the program that is not JSON on one
// line.
func compact(input []byte) ([]byte, error) {
	if len(input) == 0 {
		return nil, nil
	}
	if !utf8.Valid(input) {
		return nil, badInput("it is not UTF-8")
	}
	var b bytes.Buffer
	if err := json.Compact(&b, input); err != nil {
		return nil, badInput(err.Error())
	}
	return b.Bytes(), nil
}

func badInput(reason string) error {
	return &mp.GuestError{Name: "SyntaxError", Message: "the input is not JSON: " + reason}
}

func (s *calls) add(c *call) (id uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed != nil:
		return 0, s.closed
	case len(s.open) == maxCalls:
		return 0, errQueue
	case s.open == nil:
		s.open = map[uint64]*call{}
	}
	s.last++
	s.open[s.last] = c
	return s.last, nil
}

// watch has f called when ctx ends, as long as the call is open.
func (s *calls) watch(ctx context.Context, id uint64, c *call, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] == c {
		c.stop = context.AfterFunc(ctx, f)
	}
}

func (s *calls) take(id uint64) (*call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.open[id]
	delete(s.open, id)
	return c, ok
}

// shut refuses more calls, and finishes those that are open.
func (s *calls) shut(why error) {
	s.mu.Lock()
	if s.closed == nil {
		s.closed = why
	}
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for _, c := range open {
		c.finish(nil, why)
	}
}

// notFound is the error of a call for which the program has no function.
func notFound(name string) error {
	return fmt.Errorf("function %q of the program: %w", name, mp.ErrNotFound)
}
