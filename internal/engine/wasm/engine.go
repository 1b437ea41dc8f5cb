package wasm

import (
	"context"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Own is what a program of WebAssembly has besides an engine.Program.
type Own struct {
	Code     Code     // its compiled form; empty: Prepare compiles it
	Args     []string // after its own name
	TmpBytes int64    // what /tmp can hold; it counts as memory, too
	TmpFiles int64    // how many files and directories /tmp can have
}

// Engine runs one module.
type Engine struct {
	host    engine.Host
	program engine.Program
	own     Own
	from    string // see Loaded

	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	module   api.Module // once instantiated
	callable map[string]bool

	memories memories
	stdout   console
	stderr   console
	now      exchange // of the call under way

	life context.Context // ends with the engine
	end  context.CancelFunc

	mu     sync.Mutex
	queue  []*call       // guarded by mu
	closed error         // guarded by mu; set: no more calls
	wake   chan struct{} // something came into the queue
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine that is ready to Prepare, or to Load.
func New(host engine.Host) *Engine {
	e := &Engine{host: host, wake: make(chan struct{}, 1)}
	e.memories.budget = new(budget)
	e.stdout = console{level: "info", log: host.Log}
	e.stderr = console{level: "error", log: host.Log}
	e.life, e.end = context.WithCancel(context.Background())
	return e
}

// Loaded says, after Prepare, where the machine code came from: "loaded" is from
// Own.Code, "compiled" is from the module, and "compiled: " has the reason why
// Own.Code did not do.
func (e *Engine) Loaded() string { return e.from }

// SetHeap changes how many bytes linear memory and files may take. It may be
// called from any goroutine. What is above it already stays.
func (e *Engine) SetHeap(bytes int64) { e.memories.limit.Store(bytes) }

// Close frees what the engine took, if the guest has ended. No goroutine may be
// in Run or Load.
func (e *Engine) Close() {
	e.shut(mp.ErrEnded)
	if e.runtime != nil {
		e.runtime.Close(context.Background())
	}
}

// Run serves calls. See engine.Engine.
func (e *Engine) Run(ctx context.Context) (err error) {
	defer func() { e.shut(err) }()
	for {
		if c := e.dequeue(); c != nil {
			if err := e.serve(ctx, c); err != nil {
				return err
			}
			continue
		}
		select {
		case <-e.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// guest has f run beside the caller. The channel is closed when it has.
func guest(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// overdue is the end of a program that did not return in time.
func overdue(format string, args ...any) *engine.Exit {
	return &engine.Exit{Exit: mp.Exit{Cause: mp.CauseCallLimit, Detail: fmt.Sprintf(format, args...)}}
}
