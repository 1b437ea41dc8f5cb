package worker

import (
	"errors"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// load has the engine load the program. For a native one that is the moment at
// which this process stops being one that could start another, for one of
// WebAssembly that at which it stops making memory executable.
func (w *worker) load(b *boot) ([]string, error) {
	switch {
	case w.wasm != nil:
		return w.loadWasm(b)
	case w.native == nil:
		return w.engine.Load(b.ctx, w.program(*b))
	}
	if err := ignoreSignals(); err != nil {
		return nil, err
	}
	if _, err := w.engine.Load(b.ctx, w.program(*b)); err != nil {
		return nil, err
	}
	if err := ignoreMoreSignals(); err != nil {
		return nil, err
	}
	if err := enter.Narrow(w.narrow); err != nil {
		return nil, lock.Missing(lock.Seccomp, "%v", err)
	}
	return nil, nil
}

// execOf says how a native program is executed; nil for the others.
func execOf(b boot) *engine.Exec {
	n := b.msg.Native
	if n == nil {
		return nil
	}
	return &engine.Exec{Args: n.Args, Env: n.Env, Dir: n.Dir, Stdio: b.stdio, TTY: n.TTY}
}

// handleSignal sends a signal to a native program. One that has ended does not
// need it.
func (w *worker) handleSignal(b []byte) ([]byte, error) {
	var m wire.Signal
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	if w.native == nil || w.end.callLimit() == 0 {
		w.refuse(errors.New("a Signal came, and there is no native program"))
	}
	if err := w.native.Signal(m.Number); err != nil && !errors.Is(err, mp.ErrEnded) {
		return nil, err
	}
	return wire.MarshalReply(&wire.Done{})
}
