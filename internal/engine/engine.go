// Package engine says what the supervisor's side of a worker may ask of a
// language runtime, and what the runtime may ask of its host. The runtimes are
// its subpackages.
//
// An Engine is not safe for concurrent use except where a method says so: all
// guest code that runs in this process runs on the goroutine that called Run.
package engine

import (
	"context"
	"io/fs"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
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

	// Digest is the package's, to which an image is bound. Image is what a worker
	// with the same package was suspended to, or nil: the engine goes on from
	// there if it can, and evaluates the entry if it cannot. Load does not close it.
	Digest [32]byte
	Image  *os.File

	IPCRate int   // requests a second that the program may make to its host; a native one's wait here
	Exec    *Exec // of a native program, which has no Files; nil for the others
}

// Exec is what a native program is executed with.
type Exec struct {
	Args []string // Args[0] is the program: a path, or a name that is looked up in the PATH of its environment
	Env  []string // NAME=VALUE, over the defaults
	Dir  string   // where it begins; "" is /

	// Stdio is its standard input, output and error, or nil: then its input is
	// empty, and its output and error are console lines. Load closes them.
	Stdio []*os.File
	TTY   bool // Stdio[0] is the terminal that is to control it
}

// Host is what a guest reaches beyond itself. Methods must not block for long:
// they run on the guest's goroutine.
type Host interface {
	// Log takes one console line. Level is debug, info, warn or error.
	Log(level, text string)

	// Ask makes a request that the engine itself does not answer, and hands the
	// JSON of its result, or an error, to done, on whichever goroutine. Params
	// is JSON, or empty. It may be called from any goroutine. The error is a
	// *mp.AskError.
	Ask(ctx context.Context, method string, params []byte, done func(result []byte, err error))
}

// Event is a moment in a program's life.
type Event struct {
	Type   mp.EventType
	Page   string // the path of one of the program's pages, or "" for the whole program
	Detail []byte // a JSON object, or empty
}

// Engine runs one program.
type Engine interface {
	// Load evaluates the program's entry, top-level await included, and
	// returns the names of its exported functions, if they can be known. It is
	// called once, from the goroutine that will call Run. A guest's error is a
	// *mp.GuestError. A native program has begun to run when Load returns; one
	// that cannot be executed has ended, with an *Exit.
	Load(ctx context.Context, p Program) (exports []string, err error)

	// Call runs an exported function on JSON and hands the JSON of its result,
	// or an error, to done, on a goroutine of the engine's. It may be called
	// from any goroutine and never blocks on the guest. Cancelling ctx gives
	// the call up; at ctx's deadline the program ends.
	Call(ctx context.Context, name string, input []byte, done func(output []byte, err error))

	// Event tells the program of a moment in its life and hands what it saved,
	// JSON or nothing, to done when its handlers have run and what they asked to
	// be waited for has settled; for a native program at once. It may be called
	// from any goroutine and never blocks on the guest. When ctx ends, done gets
	// ctx's error, and the program goes on.
	Event(ctx context.Context, event Event, done func(saved []byte, err error))

	// Run serves calls, timers and jobs until ctx ends or the program does.
	// Its error is an *Exit when the guest asked to end or overstepped a limit.
	Run(ctx context.Context) error
}
