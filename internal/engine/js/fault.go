package js

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// A memory fault inside the engine ends the program, not the process with a
// crash dump: the worker can still say why it ends. Nothing of the engine is
// used after it.

// recoverFault turns a memory fault, or a heap found corrupted, into *err. Any
// other panic is a defect of ours and goes on.
func (e *Engine) recoverFault(err *error) {
	r := recover()
	if r == nil {
		return
	}
	fault, detail, ok := classify(r)
	if !ok {
		panic(r)
	}
	e.stop = &engine.Exit{Exit: mp.Exit{Cause: mp.CauseMemoryViolation, Fault: fault, Detail: detail}}
	*err = e.stop
}

// faultsPanic makes memory faults of this goroutine panics for as long as the
// returned function has not been called.
func faultsPanic() (restore func()) {
	old := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(old) }
}

// classify tells memory faults from other panics.
func classify(r any) (fault mp.Fault, detail string, ok bool) {
	if c, yes := r.(corrupt); yes {
		return mp.FaultUnknown, c.Error(), true
	}
	err, yes := r.(runtime.Error)
	if !yes {
		return "", "", false
	}
	var a interface{ Addr() uintptr }
	if errors.As(err, &a) {
		return classOfAddress(a.Addr()), fmt.Sprintf("address %#x", a.Addr()), true
	}
	// Go tells no address for its own nil check, which covers the first page.
	if err.Error() == "runtime error: invalid memory address or nil pointer dereference" {
		return mp.FaultNull, "the first page", true
	}
	return "", "", false
}

// classOfAddress says what lies at an address that faulted.
func classOfAddress(p uintptr) mp.Fault {
	switch {
	case p < 64<<10:
		return mp.FaultNull
	case p >= arenaBase && p < arenaEnd:
		return mp.FaultGuard
	}
	return mp.FaultWild
}

func heapDetail(limit int64) string { return fmt.Sprintf("the heap reached %d bytes", limit) }
