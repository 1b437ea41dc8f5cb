package js

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"sort"
	"time"
	"unsafe"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// defaultStack is what a program gets that states no Stack, in bytes.
const defaultStack = 4 << 20

// gcSlack is how much a program may allocate before the first collection. 1 MiB.
const gcSlack = 1 << 20

// Load evaluates the entry. See engine.Engine. The error is a *mp.GuestError,
// an *engine.Exit, or ctx's.
func (e *Engine) Load(ctx context.Context, p engine.Program) (exports []string, err error) {
	defer func() {
		if err != nil {
			e.shut(err)
		}
	}()
	defer e.recoverFault(&err)
	defer faultsPanic()()
	i, err := e.openImage(&p)
	switch {
	case err != nil:
		e.from = "evaluated: " + err.Error()
	case i == nil:
		e.from = "evaluated"
	default:
		if err := e.restore(i); err != nil {
			return nil, err
		}
		e.prepare(p)
		return e.resume(i, p)
	}
	e.prepare(p)
	return e.run(ctx)
}

// run evaluates the entry.
func (e *Engine) run(ctx context.Context) (exports []string, err error) {
	e.watchPurity()
	defer e.judge()
	module, promise, err := e.evaluate()
	if err != nil {
		return nil, err
	}
	defer func() {
		e.entryPromise = 0
		e.drop(promise)
	}()
	settled := func() bool {
		return lib.XJS_PromiseState(e.tls, e.ctx, promise) != lib.EJS_PROMISE_PENDING
	}
	err = e.loop(ctx, settled)
	if errors.Is(err, errIdle) {
		return nil, &mp.GuestError{Name: "Error", Message: "top-level await waits for something that can never happen, in " + e.program.Entry}
	}
	if err != nil {
		return nil, err
	}
	if lib.XJS_PromiseState(e.tls, e.ctx, promise) == lib.EJS_PROMISE_REJECTED {
		return nil, e.guestOrExit(lib.XJS_PromiseResult(e.tls, e.ctx, promise))
	}
	e.exports = lib.XJS_GetModuleNamespace(e.tls, e.ctx, module)
	if isThrown(e.exports) {
		return nil, e.guestOrExit(e.exception())
	}
	return e.listExports()
}

func stackOf(p *engine.Program) int64 {
	if p.Stack <= 0 {
		return defaultStack
	}
	return p.Stack
}

// prepare makes a blank engine this program's own: limits, clock, randomness.
func (e *Engine) prepare(p engine.Program) {
	p.Stack = stackOf(&p)
	e.program = p
	e.epoch = time.Now()
	e.random = rand.NewChaCha8(p.Seed)
	r := theRoot()
	c := (*lib.TJSContext)(at(r.context))
	c.Frandom_state = max(e.random.Uint64(), 1) // the generator's state must not be zero
	c.Finterrupt_counter = pollEvery
	e.watch.frames.allow(p.Stack)
	lib.XJS_SetMaxStackSize(e.tls, r.runtime, e.watch.frames.slots)
	lib.XJS_SetGCThreshold(e.tls, r.runtime, (*lib.TJSRuntime)(at(r.runtime)).Fmalloc_ctx.Fmalloc_state.Fmalloc_size+gcSlack)
	if p.Heap > 0 {
		e.limitHeap(p.Heap)
	}
}

// evaluate starts the entry's module and returns it with the promise of its end.
func (e *Engine) evaluate() (module uintptr, promise value, err error) {
	source, err := e.readSource(e.program.Entry)
	if err != nil {
		return 0, undefined, &mp.GuestError{Name: "Error", Message: fmt.Sprintf("cannot load %s: %v", e.program.Entry, err)}
	}
	name := e.program.Entry
	if path.Ext(name) == commonJS {
		source.free()
		name, source = commonJSEntry(name)
	}
	e.turn(func() {
		m := e.compile(name, source)
		source.free()
		if promise = m; !isThrown(m) {
			module = pointer(m)
			promise = lib.XJS_EvalFunction(e.tls, e.ctx, m)
			e.entryPromise = pointer(promise)
		}
		if isThrown(promise) {
			err = e.guestOrExit(e.exception())
		}
	})
	return module, promise, err
}

// listExports returns the names of the entry's exported functions, sorted.
func (e *Engine) listExports() ([]string, error) {
	var names []string
	for _, name := range e.ownNames(e.exports) {
		f := e.get(e.exports, name)
		if isThrown(f) {
			e.drop(e.exception()) // not initialised: cannot be called
		} else if lib.XJS_IsFunction(e.tls, e.ctx, f) != 0 {
			names = append(names, name)
		}
		e.drop(f)
	}
	if len(names) > wire.MaxExports {
		return nil, &mp.GuestError{Name: "Error", Message: fmt.Sprintf("%s exports %d functions; the most is %d", e.program.Entry, len(names), wire.MaxExports)}
	}
	sort.Strings(names)
	return names, nil
}

// ownNames are the string keys of v that can be told over the wire.
func (e *Engine) ownNames(v value) []string {
	p := e.tls.Alloc(16)
	defer e.tls.Free(16)
	if lib.XJS_GetOwnPropertyNames(e.tls, e.ctx, p, p+8, v, lib.MJS_GPN_STRING_MASK) != 0 {
		e.drop(e.exception())
		return nil
	}
	table, n := *(*uintptr)(at(p)), *(*uint32)(at(p + 8))
	defer lib.XJS_FreePropertyEnum(e.tls, e.ctx, table, n)
	var names []string
	for _, entry := range unsafe.Slice((*lib.TJSPropertyEnum)(at(table)), n) {
		s := lib.XJS_AtomToString(e.tls, e.ctx, entry.Fatom)
		if name, length, ok := e.text(s, wire.MaxName); ok && length == len(name) {
			names = append(names, name)
		}
		e.drop(s)
	}
	return names
}
