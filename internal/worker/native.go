package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// load has the engine load the program. For a native one that is the moment at
// which this process stops being one that could start another.
func (w *worker) load(b boot) ([]string, error) {
	if w.native == nil {
		return w.engine.Load(b.ctx, w.program(b))
	}
	if err := deafen(); err != nil {
		return nil, err
	}
	if _, err := w.engine.Load(b.ctx, w.program(b)); err != nil {
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

// Go's runtime needs these two of its handlers: one preempts goroutines, the
// other makes a system call on every thread. Both do nothing for a signal that
// came from elsewhere.
const (
	sigPreempt   = unix.SIGURG
	sigAllThread = 33
)

// deafen takes the handlers of all other signals away. The kernel then drops
// what the program sends to process 1, since no signal without a handler
// reaches it from inside (pid_namespaces(7)). A handler of Go's runtime would
// end the process for SIGTERM, and for a SIGSEGV that a program claims to be a
// real one (rt_sigqueueinfo(2)). Ignoring them would do the same here, but the
// program would inherit it (execve(2)).
//
// A fault of our own is then the kernel's to witness: there is no trace of it.
func deafen() error {
	if os.Getpid() != 1 {
		return errors.New("a worker for a native program must be process 1")
	}
	for s := unix.Signal(1); s <= 64; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, sigPreempt, sigAllThread:
			continue
		}
		if err := defaultAction(s); err != nil {
			return fmt.Errorf("cannot take the handler of signal %d away: %w", int(s), err)
		}
	}
	return nil
}

// sigaction is the kernel's struct, with SIG_DFL as its zero value.
type sigaction struct{ handler, flags, restorer, mask uint64 }

func defaultAction(s unix.Signal) error {
	var none sigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&none)), 0, unsafe.Sizeof(none.mask), 0, 0)
	runtime.KeepAlive(&none)
	if errno != 0 {
		return errno
	}
	return nil
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
