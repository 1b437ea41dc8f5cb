package worker

import (
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/native"
)

// Role is what a worker is started as.
// The zero value is the JavaScript engine.
type Role struct {
	Native  bool // process 1 of a native program
	Wasm    bool // the WebAssembly engine
	Compile bool // it compiles one module of WebAssembly, and runs nothing
	Learn   bool // under a filter that asks instead of refusing
}

// ParseRole reads the arguments with which a launcher starts a worker: none for
// JavaScript, "native", and "learn" after either; "wasm", "wasm-compile".
func ParseRole(args []string) (role Role, ok bool) {
	if len(args) == 1 {
		switch args[0] {
		case "wasm":
			return Role{Wasm: true}, true
		case "wasm-compile":
			return Role{Compile: true}, true
		}
	}
	if len(args) > 0 && args[0] == "native" {
		role.Native, args = true, args[1:]
	}
	if len(args) > 0 && args[0] == "learn" {
		role.Learn, args = true, args[1:]
	}
	return role, len(args) == 0
}

// open makes the engine, of what the role's own descriptor holds.
func (w *worker) open() error {
	switch {
	case w.role.Native:
		return w.openNative()
	case w.role.Wasm:
		return w.openWasm()
	case w.role.Compile:
		return w.openCompile()
	}
	return w.openJS()
}

func (w *worker) openJS() error {
	image := os.NewFile(fdOther, "image")
	e, err := js.New(w.outside(), image)
	if err != nil {
		return fmt.Errorf("cannot start the engine: %w", err)
	}
	w.js, w.engine, w.image = e, e, e.Image()
	w.build, _ = js.BuildID() // without one the engine says why nothing was mapped
	return image.Close()
}

func (w *worker) openNative() (err error) {
	w.native = native.New(w.outside())
	w.engine, w.image = w.native, "none: the program is a native one"
	w.narrow, err = readStack(fdOther, "filter of process 1")
	return err
}

func (w *worker) outside() outside { return outside{w.log, w.asks} }
