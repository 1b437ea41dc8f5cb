package js

import (
	"context"
	"fmt"
	"strings"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// spare is how many pages above its limit the heap may grow while the engine
// itself works with it after the guest ran out of memory.
const spare = 64

// withSpare runs f with a little more memory than the guest has, which may be
// above a limit that was lowered.
func (e *Engine) withSpare(f func()) {
	h := &theRoot().heap
	limit := h.limit
	h.limit = max(limit, h.inUse) + spare
	defer func() { h.limit = limit }()
	f()
}

// guestOrExit takes over v, which the guest threw. It is the program's end if
// it came of a limit.
func (e *Engine) guestOrExit(v value) (err error) {
	defer e.drop(v)
	if e.watch.over(e) {
		return e.ending()
	}
	e.withSpare(func() {
		g := e.readError(v)
		if err = g; e.endForMemory(v, g) {
			err = e.stop
			return
		}
		g.Stack = e.original(g.Stack)
		if g.Name == "InternalError" && g.Message == "stack overflow" {
			g.Message += fmt.Sprintf(": the limit is %.1f MiB", float64(e.program.Stack)/(1<<20))
		}
	})
	return err
}

// ending is why the program ends, when it must.
func (e *Engine) ending() error {
	if e.stop != nil {
		return e.stop
	}
	return context.Canceled // of Load or Run, the loop knows better
}

// readError reads what the guest threw. That may run guest code, which may
// throw in turn; what cannot be read is left out.
func (e *Engine) readError(v value) *mp.GuestError {
	if !isObject(v) {
		return &mp.GuestError{Message: e.describe(v)}
	}
	err := &mp.GuestError{
		Name:    e.member(v, "name", wire.MaxName),
		Message: e.member(v, "message", wire.MaxErrText/2),
		Stack:   ownFrames(e.member(v, "stack", wire.MaxErrText/4)),
	}
	if err.Name == "" && err.Message == "" {
		err.Message = e.describe(v)
	}
	return err
}

// member is a string property of v, or "".
func (e *Engine) member(v value, name string, limit int) string {
	m := e.get(v, name)
	defer e.drop(m)
	if isThrown(m) {
		e.drop(e.exception())
	}
	if !isString(m) {
		return ""
	}
	s, _, ok := e.text(m, limit)
	if !ok {
		e.drop(e.exception())
	}
	return s
}

// describe shows v as console.log does. It keeps the caller's reference.
func (e *Engine) describe(v value) string {
	r := e.call(theRoot().entry[entryDescribe], v)
	defer e.drop(r)
	if isThrown(r) {
		e.drop(e.exception())
		return "a value that cannot be shown"
	}
	s, _, _ := e.text(r, wire.MaxErrText/2)
	return s
}

// ownFrames leaves the prelude's frames out of a stack trace.
func ownFrames(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		if !strings.Contains(line, "("+preludeScheme) && !strings.Contains(line, "at "+preludeScheme) {
			b.WriteString(line)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// outOfMemory reports whether v is what QuickJS throws when the arena refused:
// an InternalError, without its message if there was no memory for that, a
// SyntaxError of a regular expression, or null, or nothing at all. A guest can throw the like itself, and ends nobody
// but itself.
func (e *Engine) outOfMemory(v value, err *mp.GuestError) bool {
	switch v.Ftag {
	case lib.EJS_TAG_NULL, lib.EJS_TAG_UNINITIALIZED:
		return theRoot().heap.refused
	}
	if err.Name == "SyntaxError" {
		return theRoot().heap.refused && strings.HasPrefix(err.Message, "out of memory")
	}
	if err.Name != "InternalError" {
		return false
	}
	return strings.HasPrefix(err.Message, "out of memory") || err.Message == "" && theRoot().heap.refused
}

// endForMemory ends the program if v, read as err, says that its heap was full.
func (e *Engine) endForMemory(v value, err *mp.GuestError) bool {
	if !e.outOfMemory(v, err) {
		return false
	}
	e.exit(mp.CauseMemoryLimit, heapDetail(e.program.Heap))
	return true
}

// uncaught reports what nothing in the guest caught: it takes over v, which
// ends the program if it was the heap's limit.
func (e *Engine) uncaught(v value) {
	e.report(v, "Uncaught ", entryUncaught, v)
}

// report takes over v. The guest hears of it through the entry, with args, and
// a line with prefix is logged unless the guest says that it has seen to it.
func (e *Engine) report(v value, prefix string, entry int, args ...value) {
	defer e.drop(v)
	if e.watch.over(e) || e.endedForMemory(v) || e.tell(entry, args...) || e.watch.over(e) {
		return
	}
	e.withSpare(func() { e.host.Log("error", prefix+e.original(e.describe(v))) })
}

func (e *Engine) endedForMemory(v value) (ended bool) {
	e.withSpare(func() { ended = e.endForMemory(v, e.readError(v)) })
	return ended
}

// tell calls a function of the prelude that runs listeners of the guest's, and
// returns whether its result is true. What itself comes to nothing, for want
// of stack or memory, is false.
func (e *Engine) tell(entry int, args ...value) bool {
	r := e.call(theRoot().entry[entry], args...)
	defer e.drop(r)
	if isThrown(r) {
		v := e.exception()
		e.endedForMemory(v)
		e.drop(v)
	}
	return r == boolean(true)
}
