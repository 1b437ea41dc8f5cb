// Package engine says what the supervisor's side of a worker may ask of a
// language runtime, and what the runtime may ask of its host. The runtimes are
// its subpackages.
//
// An Engine is not safe for concurrent use except where a method says so: all
// guest code runs on the goroutine that called Run.
package engine

import (
	"context"
	"io/fs"
	"time"
)

// Program is a mini-program as its engine gets it.
type Program struct {
	AppID  string
	Files  fs.FS         // the package, read-only
	Entry  string        // the module to evaluate, a path in Files
	Seed   [32]byte      // fresh for each instance: all randomness derives from it
	Start  time.Time     // the wall clock at the start
	Heap   int64         // bytes that the guest's heap may take
	Stack  int64         // bytes that the guest's stack may take
	Turn   time.Duration // the longest that one turn of the event loop may run
	Result int           // bytes of JSON that one call may return
}

// Host is what a guest reaches beyond itself. Methods must not block for long:
// they run on the guest's goroutine.
type Host interface {
	// Log takes one console line. Level is debug, info, warn or error.
	Log(level, text string)
}

// Engine runs one program.
type Engine interface {
	// Load evaluates the program's entry, top-level await included, and
	// returns the names of its exported functions. It is called once, from
	// the goroutine that will call Run. A guest's error is a *mp.GuestError.
	Load(ctx context.Context, p Program) (exports []string, err error)

	// Call runs an exported function on JSON and hands the JSON of its result,
	// or an error, to done, on Run's goroutine. It may be called from any
	// goroutine and never blocks on the guest. Cancelling ctx gives the call up.
	Call(ctx context.Context, name string, input []byte, done func(output []byte, err error))

	// Run serves calls, timers and jobs until ctx ends or the program does.
	// Its error is an *Exit when the guest asked to end or overstepped a limit.
	Run(ctx context.Context) error
}
