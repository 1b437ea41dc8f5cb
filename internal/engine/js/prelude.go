package js

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// The prelude is what a program finds on its global object beyond ECMAScript:
// one function expression, called with the object that carries the natives, to
// which it adds what Go calls. `make build` bundles it from prelude/src and the
// npm packages that prelude/package-lock.json pins.
//
//go:embed all:prelude/dist
var preludeFiles embed.FS

const (
	preludeFile = "prelude/dist/prelude.js"
	intlFile    = "prelude/dist/intl.js" // Intl, which is larger than all the rest
)

// preludeScheme begins the name of the prelude's script in stack traces.
const preludeScheme = "mp:"

// The prelude's functions that Go calls, by their place in root.entry.
const (
	entryInvoke = iota
	entryTick
	entryDescribe
	entryUncaught
	entryRejected
	entryHandled
	entryAnswered
	entryEvent
	entryRestored
	entryCommonJS
	entryCompleteIntl
	numEntries
)

var entryNames = [numEntries]string{"invoke", "tick", "describe", "uncaught", "rejected", "handled", "answered", "event", "restored", "commonjs", "completeIntl"}

// evaluatePrelude leaves the context as every program gets it.
func (e *Engine) evaluatePrelude() error {
	if err := e.watchDate(); err != nil {
		return fmt.Errorf("cannot watch Date: %w", err)
	}
	host := lib.XJS_NewObject(e.tls, e.ctx)
	defer e.drop(host)
	for _, n := range natives {
		f := withC(n.name, func(p uintptr) value {
			return lib.XJS_NewCFunction2(e.tls, e.ctx, fn(n.f), p, n.length, lib.EJS_CFUNC_generic, 0)
		})
		if !e.set(host, n.name, f) {
			return e.preludeError(n.name)
		}
	}
	if err := e.evaluateBundle(preludeFile, host); err != nil {
		return err
	}
	for i, name := range entryNames {
		v := e.get(host, name)
		if lib.XJS_IsFunction(e.tls, e.ctx, v) == 0 {
			return fmt.Errorf("the prelude has no function %s", name)
		}
		theRoot().entry[i] = v
	}
	e.settlePrelude()
	return nil
}

// settlePrelude makes what there is now the part of the heap that stays.
func (e *Engine) settlePrelude() {
	e.runJobs()
	lib.XJS_RunGC(e.tls, theRoot().runtime)
	e.makeImmortal()
	e.keepApart()
}

// complete evaluates what waits for its first use where there is no image.
func (e *Engine) complete() error {
	r := e.call(theRoot().entry[entryCompleteIntl])
	if isThrown(r) {
		return e.preludeError("Intl")
	}
	e.drop(r)
	e.settlePrelude()
	return nil
}

// nativeLoadIntl evaluates the bundle of Intl, with the object that carries the
// natives, which it is a member of.
func nativeLoadIntl(_ *libc.TLS, _ uintptr, host value, _ int32, _ uintptr) value {
	e := current.Load()
	if err := e.evaluateBundle(intlFile, host); err != nil {
		return e.throwType(err.Error())
	}
	return undefined
}

// evaluateBundle calls the function that a bundle is. Its text is not kept: as
// functions of the engine's own do, the prelude's show no source.
func (e *Engine) evaluateBundle(name string, host value) error {
	text, err := preludeFiles.ReadFile(name)
	if err != nil {
		return errors.New("this executable has no prelude: it was built without `make build`")
	}
	lib.XJS_SetStripInfo(e.tls, theRoot().runtime, lib.MJS_STRIP_SOURCE)
	defer lib.XJS_SetStripInfo(e.tls, theRoot().runtime, 0)
	s := newSource(string(text))
	f := withC(preludeScheme+strings.TrimSuffix(path.Base(name), ".js"), func(p uintptr) value {
		return lib.XJS_Eval(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), p, lib.MJS_EVAL_TYPE_GLOBAL|lib.MJS_EVAL_FLAG_STRICT)
	})
	s.free()
	if isThrown(f) {
		return e.preludeError("script")
	}
	defer e.drop(f)
	r := e.call(f, host)
	if isThrown(r) {
		return e.preludeError("script")
	}
	e.drop(r)
	return nil
}

func (e *Engine) preludeError(name string) error {
	v := e.exception()
	defer e.drop(v)
	return fmt.Errorf("cannot evaluate the prelude's %s: %s: %s\n%s", name,
		e.member(v, "name", 100), e.member(v, "message", 1000), e.member(v, "stack", 1000))
}

// newTLS returns libc's idea of a thread. QuickJS asks libc for the local time,
// and libc would open /etc/localtime: here local time is UTC.
func newTLS() (*libc.TLS, error) {
	if err := os.Setenv("TZ", "UTC0"); err != nil {
		return nil, err
	}
	return libc.NewTLS(), nil
}
