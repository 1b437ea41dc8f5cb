package js

import (
	"embed"
	"fmt"
	"os"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// The prelude is what a program finds on its global object beyond ECMAScript.
// Each file is one function expression, called with the object that carries
// the natives, to which it may add members for the files after it and for Go.
//
//go:embed prelude/*.js
var preludeFiles embed.FS

var prelude = []string{"iterators", "primitive", "format", "printf", "console", "timers", "calls", "crypto", "performance", "mp"}

// preludeScheme begins the names of the prelude's files in stack traces.
const preludeScheme = "mp:"

// The prelude's functions that Go calls, by their place in root.entry.
const (
	entryInvoke = iota
	entryTick
	entryDescribe
	numEntries
)

var entryNames = [numEntries]string{"invoke", "tick", "describe"}

// evaluatePrelude leaves the context as every program gets it.
func (e *Engine) evaluatePrelude() error {
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
	for _, name := range prelude {
		if err := e.evaluateFile(name, host); err != nil {
			return err
		}
	}
	for i, name := range entryNames {
		v := e.get(host, name)
		if lib.XJS_IsFunction(e.tls, e.ctx, v) == 0 {
			return fmt.Errorf("the prelude has no function %s", name)
		}
		theRoot().entry[i] = v
	}
	e.runJobs()
	lib.XJS_RunGC(e.tls, theRoot().runtime)
	return nil
}

func (e *Engine) evaluateFile(name string, host value) error {
	text, err := preludeFiles.ReadFile("prelude/" + name + ".js")
	if err != nil {
		return err
	}
	s := newSource(string(text))
	f := withC(preludeScheme+name, func(p uintptr) value {
		return lib.XJS_Eval(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), p, lib.MJS_EVAL_TYPE_GLOBAL|lib.MJS_EVAL_FLAG_STRICT)
	})
	s.free()
	if isThrown(f) {
		return e.preludeError(name)
	}
	defer e.drop(f)
	r := e.call(f, host)
	if isThrown(r) {
		return e.preludeError(name)
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
