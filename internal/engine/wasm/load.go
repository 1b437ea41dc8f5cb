package wasm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/wasm/memfs"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// The functions that a module exports for its host by convention (WASI
// application ABI), and ours for events.
const (
	commandStart = "_start"
	reactorStart = "_initialize"
	eventName    = "mp_event"
)

// Prepare makes all the machine code that there will be. No instruction of the
// module runs. The error is a *mp.GuestError when the module cannot be used.
func (e *Engine) Prepare(ctx context.Context, p engine.Program, own Own) error {
	e.program, e.own = p, own
	e.memories.limit.Store(p.Heap)
	module, err := fs.ReadFile(p.Files, p.Entry)
	if err != nil {
		return fmt.Errorf("cannot read the module: %w", err)
	}
	s := &shelf{code: own.Code}
	if e.runtime, err = newRuntime(ctx, s); err != nil {
		return err
	}
	if _, err := wasi.Instantiate(ctx, e.runtime); err != nil {
		return fmt.Errorf("cannot provide WASI: %w", err)
	}
	if err := e.provide(ctx, e.runtime); err != nil {
		return fmt.Errorf("cannot provide the host's functions: %w", err)
	}
	e.compiled, err = e.take(ctx, s, module)
	e.own.Code = nil
	if err != nil {
		return err
	}
	return e.checkImports()
}

// take gives the module in machine code: from the shelf, or compiled when what
// is there cannot be used.
func (e *Engine) take(ctx context.Context, s *shelf, module []byte) (wazero.CompiledModule, error) {
	c, err := compile(ctx, e.runtime, module)
	fallback := ""
	if err != nil && s.asked {
		fallback = s.fallback(err)
		s.code, s.asked = nil, false
		c, err = compile(ctx, e.runtime, module)
	}
	switch {
	case s.asked:
		e.from = "loaded"
	case fallback != "" || s.why != "":
		e.from = "compiled: " + cut(max(fallback, s.why), maxReason)
	default:
		e.from = "compiled"
	}
	return c, err
}

// maxReason bounds the reason in Loaded, in bytes.
const maxReason = 200

// checkImports names what the module imports and nobody has.
func (e *Engine) checkImports() error {
	for _, f := range e.compiled.ImportedFunctions() {
		module, name, _ := f.Import()
		m := e.runtime.Module(module)
		switch {
		case m == nil:
			return linkError("it imports %q of module %q; there are wasi_snapshot_preview1 and mp", name, module)
		case m.ExportedFunctionDefinitions()[name] == nil:
			return linkError("it imports %q, which module %q does not have", name, module)
		}
	}
	if len(e.compiled.ImportedMemories()) > 0 {
		return linkError("it imports a memory; it must have its own")
	}
	return nil
}

func linkError(format string, args ...any) error {
	return &mp.GuestError{Name: "LinkError", Message: cut("the module cannot be linked: "+fmt.Sprintf(format, args...), wire.MaxErrText)}
}

// Load runs the module's start function, and then _start of a command or
// _initialize of a reactor. See engine.Engine. A command has ended when Load
// returns: the error is an *engine.Exit with its status.
func (e *Engine) Load(ctx context.Context, p engine.Program) (exports []string, err error) {
	if e.compiled == nil {
		if err := e.Prepare(ctx, p, Own{TmpBytes: defaultTmpBytes, TmpFiles: defaultTmpFiles}); err != nil {
			return nil, err
		}
	}
	defer func() {
		var exit *engine.Exit
		if errors.As(err, &exit) {
			e.shut(err)
		}
	}()
	var failed error
	select {
	case <-guest(func() { failed = e.begin() }):
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return nil, overdue("it was not ready in time")
		}
		return nil, ctx.Err()
	}
	if failed != nil {
		return nil, failed
	}
	return e.exports(), nil
}

// What /tmp has where nobody says.
const defaultTmpBytes, defaultTmpFiles = 1 << 20, 64

// begin instantiates the module and runs what is to be run once.
func (e *Engine) begin() (err error) {
	defer e.stdout.flush()
	defer e.stderr.flush()
	if err := e.instantiate(); err != nil {
		return err
	}
	for _, name := range []string{commandStart, reactorStart} {
		f := e.module.ExportedFunction(name)
		if f == nil || !returnsNothing(f.Definition()) {
			continue
		}
		if _, err := f.Call(e.life); err != nil {
			return outcomeOf(err)
		}
		if name == commandStart {
			return exitOf(0)
		}
		break
	}
	return nil
}

// instantiate makes the module's memory and tables, and runs its start function.
func (e *Engine) instantiate() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = e.unmade(r)
		}
	}()
	e.memories.refused = 0
	ctx := experimental.WithMemoryAllocator(e.life, &e.memories)
	e.module, err = e.runtime.InstantiateModule(ctx, e.compiled, e.config())
	if isLinking(err) {
		return linkError("%v", err)
	}
	return outcomeOf(err)
}

// unmade says why the module could not be made.
func (e *Engine) unmade(reason any) error {
	if e.memories.refused > 0 {
		return &mp.GuestError{Name: "RangeError", Message: fmt.Sprintf(
			"the module's memory begins with %d bytes; the limit is %d", e.memories.refused, e.memories.limit.Load())}
	}
	return linkError("%v", reason)
}

// config is what the module finds around it. It has no environment variables,
// no input and no sockets.
func (e *Engine) config() wazero.ModuleConfig {
	tmp := memfs.New(e.own.TmpBytes, e.own.TmpFiles, e.memories.budget)
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(&packageFS{sysfs.AdaptFS{FS: e.program.Files}}, "/")
	files = files.(sysfs.FSConfig).WithSysFSMount(tmp, "/tmp")
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithArgs(append([]string{path.Base(e.program.Entry)}, e.own.Args...)...).
		WithStdout(&e.stdout).WithStderr(&e.stderr).
		WithRandSource(rand.NewChaCha8(e.program.Seed)).
		WithSysWalltime().WithSysNanotime().
		WithNanosleep(func(ns int64) { e.sleep(time.Duration(ns)) }).WithOsyield(runtime.Gosched).
		WithFSConfig(files)
}

// sleep sleeps, and ends the guest if the engine ends meanwhile.
func (e *Engine) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.life.Done():
		panic(sys.NewExitError(0))
	}
}

// exports lists the functions that can be called: those without parameters that
// return nothing or one i32.
func (e *Engine) exports() (names []string) {
	e.callable = map[string]bool{}
	for name, f := range e.module.ExportedFunctionDefinitions() {
		if !isCallable(f) || name == commandStart || name == reactorStart {
			continue
		}
		e.callable[name] = true
		if name != eventName && len(name) <= wire.MaxName && utf8.ValidString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), wire.MaxExports)]
}

func isCallable(f api.FunctionDefinition) bool {
	results := f.ResultTypes()
	return returnsNothing(f) || len(f.ParamTypes()) == 0 && len(results) == 1 && results[0] == i32
}

func returnsNothing(f api.FunctionDefinition) bool {
	return len(f.ParamTypes()) == 0 && len(f.ResultTypes()) == 0
}
