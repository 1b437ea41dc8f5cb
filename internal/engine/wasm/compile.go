package wasm

import (
	"context"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// features are the WebAssembly that modules may use: the specification's version
// 2.0, fixed vectors included.
const features = api.CoreFeaturesV2

// newRuntime makes a runtime that takes code from the shelf. No line tables are
// read of a module: they would make its code many times as large, and traces have
// the functions' names without them.
func newRuntime(ctx context.Context, s *shelf) (wazero.Runtime, error) {
	cache, err := newCache(s)
	if err != nil {
		return nil, err
	}
	return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(features).WithDebugInfoEnabled(false).WithCompilationCache(cache)), nil
}

// Compile makes machine code of a module for Prepare. It runs nothing, and so
// works where memory cannot be made executable as long as the kernel says that it
// was. The error is a *mp.GuestError when the module is not valid.
func Compile(ctx context.Context, module []byte) (Code, error) {
	var s shelf
	r, err := newRuntime(ctx, &s)
	if err != nil {
		return nil, err
	}
	defer r.Close(ctx)
	if _, err := compile(ctx, r, module); err != nil {
		return nil, err
	}
	return s.made, nil
}

// compile has wazero compile a module, or take it from the shelf.
func compile(ctx context.Context, r wazero.Runtime, module []byte) (c wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &mp.GuestError{Name: "CompileError", Message: fmt.Sprintf("the compiler failed: %v", p)}
		}
	}()
	c, err = r.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), module)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil:
		return nil, overdue("the module was not compiled in time")
	}
	return nil, &mp.GuestError{Name: "CompileError", Message: err.Error()}
}
