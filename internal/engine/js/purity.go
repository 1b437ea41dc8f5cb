package js

import (
	"bytes"
	"errors"
	"slices"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// A ready image stands for the evaluation of a program's entry in every instance.
// So the evaluation must depend on nothing but the package: what else it could
// look at is watched here, and an evaluation that did must be done anew for each.
//
// The clock is watched where it is read: in natives, and in Date, whose two
// functions that read it are replaced by ours. Random numbers are watched by what
// they leave: generators that are not in the state in which they were seeded.

// maxLines bounds the text of the lines that an evaluation may log, in bytes.
const maxLines = 64 << 10

// evaluation is what is known of the entry's evaluation.
type evaluation struct {
	engine.Host // where the lines go on to

	clock, host, limit bool // it read the clock, asked the host, reached a limit

	state   uint64 // of Math.random, as seeded
	stream  []byte // of every other random number's source, as seeded
	lines   []line // dropped when the program goes on
	size    int    // of their text
	verdict string // set when the evaluation ended: why it is impure, or ""
	turns   uint64 // Engine.turns then
}

// Log takes a line on its way to the host.
func (v *evaluation) Log(level, text string) {
	if v.size += len(text); v.size <= maxLines {
		v.lines = append(v.lines, line{level, text})
	}
	v.Host.Log(level, text)
}

// watchPurity begins it, once the generators are seeded.
func (e *Engine) watchPurity() {
	e.purity = &evaluation{Host: e.host, state: e.context().Frandom_state}
	e.purity.stream, _ = e.random.AppendBinary(nil) // cannot fail
	e.host = e.purity
}

// judge ends it. What comes later is for the first instance alone.
func (e *Engine) judge() {
	v := e.purity
	e.host = v.Host
	v.turns = e.turns
	v.verdict = e.impurity()
}

func (e *Engine) impurity() string {
	v := e.purity
	stream, _ := e.random.AppendBinary(nil)
	switch {
	case v.state != e.context().Frandom_state, !bytes.Equal(v.stream, stream):
		return "its evaluation used random numbers"
	case v.clock:
		return "its evaluation read the clock"
	case v.host:
		return "its evaluation asked the host"
	case e.alarm >= 0:
		return "its evaluation left timers"
	case len(e.codecs.byID) > 0:
		return "its evaluation left a compression stream open"
	case v.limit:
		return "its evaluation reached the limit of its heap"
	case v.size > maxLines:
		return "its evaluation logged too much"
	}
	return ""
}

// goOn begins a turn.
func (e *Engine) goOn() {
	if v := e.purity; v != nil && v.turns != 0 {
		v.lines = nil
	}
	e.turns++
}

// ready returns the lines of the evaluation, if a ready image can be made now.
func (e *Engine) ready() ([]line, error) {
	v := e.purity
	switch {
	case v == nil:
		return nil, errors.New("the program was restored from an image itself")
	case v.verdict != "":
		return nil, &ImpureError{v.verdict}
	case v.turns != e.turns:
		return nil, errors.New("the program has gone on since it was evaluated")
	}
	return slices.Clone(v.lines), nil
}

// sawClock and sawHost are for natives to call that let the guest see more than
// the package.
func (e *Engine) sawClock() {
	if e.purity != nil {
		e.purity.clock = true
	}
}

func (e *Engine) sawHost() {
	if e.purity != nil {
		e.purity.host = true
	}
}

func (e *Engine) sawLimit() {
	if e.purity != nil {
		e.purity.limit = true
	}
}

func (e *Engine) context() *lib.TJSContext { return (*lib.TJSContext)(at(e.ctx)) }

// cFunction is what an object of class C function holds (JSObject.u.cfunc).
type cFunction struct {
	realm, code   uintptr
	length, proto uint8
	magic         int16
}

// replace makes f, a function of QuickJS's own, run code. It returns what it ran
// before.
func replace(f value, proto uint8, code uintptr) (old uintptr, err error) {
	if !isObject(f) {
		return 0, errors.New("not a function")
	}
	o := (*lib.TJSObject)(at(pointer(f)))
	c := (*cFunction)(unsafe.Pointer(&o.Fu))
	if o.Fclass_id != lib.EJS_CLASS_C_FUNCTION || c.proto != proto {
		return 0, errors.New("not a function of the expected kind")
	}
	old, c.code = c.code, code
	return old, nil
}

// watchDate replaces what reads the clock in Date.
func (e *Engine) watchDate() error {
	global := lib.XJS_GetGlobalObject(e.tls, e.ctx)
	defer e.drop(global)
	date := e.get(global, "Date")
	defer e.drop(date)
	now := e.get(date, "now")
	defer e.drop(now)
	var err error
	if theRoot().date, err = replace(date, lib.EJS_CFUNC_constructor_or_func, fn(onDate)); err != nil {
		return err
	}
	_, err = replace(now, lib.EJS_CFUNC_generic, fn(onDateNow))
	return err
}

// onDate is Date(…) and new Date(…), which read the clock without arguments, and
// when called as a function (ECMA-262, section 21.4.2.1).
func onDate(tls *libc.TLS, ctx uintptr, target value, argc int32, argv uintptr) value {
	if argc == 0 || isUndefined(target) {
		current.Load().sawClock()
	}
	code := struct{ f uintptr }{theRoot().date}
	return (*(*native)(unsafe.Pointer(&code)))(tls, ctx, target, argc, argv)
}

// onDateNow is Date.now (ECMA-262, section 21.4.3.1).
func onDateNow(*libc.TLS, uintptr, value, int32, uintptr) value {
	current.Load().sawClock()
	return number(float64(time.Now().UnixMilli()))
}
