package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// lastWordTime is how long the last messages may take to leave.
const lastWordTime = time.Second

// maxTrace bounds the text of a crash; the supervisor keeps no more.
const maxTrace = 8 << 10

// ender is how far the process has come.
type ender struct {
	booted   atomic.Bool  // a Boot came
	prepared atomic.Bool  // of the role wasm: the module is there, and no Begin came
	turn     atomic.Int64 // likewise: how long it may take to begin, in nanoseconds
	millis   atomic.Int64 // of a call; 0 before the program is loaded
	leaving  atomic.Bool  // the last word is being said
}

// boot reports whether this is the first Boot.
func (e *ender) boot() bool { return e.booted.CompareAndSwap(false, true) }

func (e *ender) setCallLimit(millis int64) { e.millis.Store(millis) }

func (e *ender) callLimit() time.Duration { return time.Duration(e.millis.Load()) * time.Millisecond }

// finish says the last word and returns the exit code.
func (w *worker) finish(err error) int {
	var exit *engine.Exit
	if errors.As(err, &exit) {
		w.lastWord(&wire.Ending{Cause: exit.Cause, Code: exit.Code, Signal: exit.Signal, Fault: exit.Fault, Detail: exit.Detail})
		return codeForExit(exit)
	}
	fmt.Fprintf(os.Stderr, "mpworker: %v\n", err)
	return codeOf(err)
}

func codeForExit(exit *engine.Exit) int {
	switch exit.Cause {
	case mp.CauseExited:
		return exit.Code
	case mp.CauseSignal: // of a native program: as a shell has it
		return 128 + exit.Signal
	case mp.CauseMemoryViolation:
		return codeCrashed
	}
	return codeLimit
}

// lastWord sends what the program printed, and the Ending.
func (w *worker) lastWord(m *wire.Ending) {
	if w.conn == nil {
		return
	}
	w.end.leaving.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), lastWordTime)
	defer cancel()
	w.log.close(ctx)
	b, err := wire.Marshal(wire.MethodEnding, m)
	if err == nil {
		err = w.conn.Notify(ctx, b)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "mpworker: %s; cannot say so: %v\n", m.Cause, err)
	}
	w.conn.Close()
}

// watchChannel ends the process when the channel does, whatever the guest is
// doing then.
func (w *worker) watchChannel() {
	<-w.conn.Done()
	if w.end.leaving.Load() {
		return // we closed it ourselves, or are about to exit anyway
	}
	err := w.conn.Err()
	fmt.Fprintf(os.Stderr, "mpworker: the channel ended: %v\n", err)
	os.Exit(codeOf(&channelError{err}))
}

// refuse ends the process because the supervisor broke a rule. It does not
// return.
func (w *worker) refuse(rule error) {
	w.lastWord(&wire.Ending{Cause: mp.CauseProtocol, Detail: rule.Error()})
	fmt.Fprintf(os.Stderr, "mpworker: the supervisor broke a rule: %v\n", rule)
	os.Exit(codeProtocol)
}

// guard turns a panic of a handler's into the process's end.
func (w *worker) guard() {
	if r := recover(); r != nil {
		os.Exit(crash(r))
	}
}

// crash prints what is known of a panic of ours.
func crash(r any) int {
	trace := string(debug.Stack())
	// What comes before is the machinery of the panic itself.
	if _, after, ok := strings.Cut(trace, "\npanic("); ok {
		trace = "panic(" + after
	}
	fmt.Fprintf(os.Stderr, "mpworker: panic: %v\n\n%.*s\n", r, maxTrace, trace)
	return codeCrashed
}

var _ ipc.Handler = (*worker)(nil)
