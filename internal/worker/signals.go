package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Process 1 of a native program has the program's user id, and gets every signal
// that this sends it. None may do anything.
//
// Go's runtime has handlers for nearly all. The one for SIGTERM ends the
// process, and the one for SIGSEGV does for a signal that says it were a real
// fault, as rt_sigqueueinfo(2) lets anybody say.
//
// Without handlers process 1 is safe in principle: the kernel drops what comes
// from inside its namespace (pid_namespaces(7)). With several threads it is
// not always: a signal that the first thread blocks for the moment, as Go's do
// while one makes another, is not dropped but given to a thread that does not
// block it, and is fatal there (kernel/signal.c, sig_ignored and
// complete_signal). Ignored signals never are, and so they all are ignored.
//
// A program inherits that its signals are ignored (execve(2)), and not that they
// have handlers. Go's runtime gives a child the default action of whatever the
// runtime has a handler for, and does not know that we took the handlers away:
// those signals can be ignored at once. The others get a handler that does
// nothing until the program is executed. It is not one of the runtime's: that
// takes a signal that the runtime does not handle for deadly (sigfwdgo).
//
// A fault of our own is the kernel's to witness then: there is no trace of it.

// Go's runtime needs these two handlers: one preempts goroutines, the other
// makes a system call on every thread. Both do nothing for a signal that came
// from elsewhere.
const (
	sigPreempt   = unix.SIGURG
	sigAllThread = unix.Signal(33)
)

// sigaction is the kernel's struct (of rt_sigaction, not of sigaction(2)).
type sigaction struct{ handler, flags, restorer, mask uint64 }

// The actions that are no handlers (asm-generic/signal-defs.h).
var (
	defaultAction = sigaction{handler: 0}
	ignoreAction  = sigaction{handler: 1}
)

// ignoreSignals is for before there is a program.
func ignoreSignals() error {
	if os.Getpid() != 1 {
		return errors.New("a worker for a native program must be process 1")
	}
	idle, err := idleAction()
	if err != nil {
		return err
	}
	return eachSignal(func(s unix.Signal) (sigaction, error) {
		now, err := action(s, nil)
		if now.handler > ignoreAction.handler {
			return ignoreAction, err
		}
		// What C libraries keep to themselves, what stops and continues, and what
		// whoever started us ignored.
		return idle, err
	})
}

// idleAction has a handler that does nothing. The rest is as the runtime has it:
// a stack of its own, as a goroutine's has no room, and system calls go on.
func idleAction() (sigaction, error) {
	a, err := action(sigPreempt, nil)
	if err == nil && a.handler <= ignoreAction.handler {
		err = errors.New("the runtime does not handle the signal that it preempts with")
	}
	a.handler = uint64(idleHandler())
	return a, err
}

// idleHandler is the address of a signal handler that only returns. It is no Go
// code: that may use the stack and the registers of whom the signal interrupts.
func idleHandler() uintptr

// ignoreMoreSignals is for when there is a program.
func ignoreMoreSignals() error {
	return eachSignal(func(unix.Signal) (sigaction, error) { return ignoreAction, nil })
}

// eachSignal sets an action for every signal that may have another. SIGCHLD
// keeps its default, which is nothing: ignoring it would have the kernel reap,
// and nobody learn how the program ended (wait(2)).
func eachSignal(choose func(unix.Signal) (sigaction, error)) error {
	for s := unix.Signal(1); s <= 64; s++ {
		var next sigaction
		var err error
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, sigPreempt, sigAllThread:
			continue
		case unix.SIGCHLD:
			next = defaultAction
		default:
			next, err = choose(s)
		}
		if err == nil {
			_, err = action(s, &next)
		}
		if err != nil {
			return fmt.Errorf("cannot set the action of signal %d: %w", int(s), err)
		}
	}
	return nil
}

// action sets what is done for a signal, unless next is nil, and returns what
// was.
func action(s unix.Signal, next *sigaction) (old sigaction, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(next)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0)
	runtime.KeepAlive(next)
	if errno != 0 {
		return old, errno
	}
	return old, nil
}
