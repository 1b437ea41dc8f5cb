package worker

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Process 1 of a native program has the program's user id, and gets every signal
// that this sends it. None may do anything.
//
// Go's runtime has handlers for nearly all. The one for SIGTERM ends the
// process, and the one for SIGSEGV does for a signal that says it were a real
// fault, as rt_sigqueueinfo(2) lets anybody say. So no handler stays but two.
//
// Without handlers process 1 is safe in principle: the kernel drops what comes
// from inside its namespace (pid_namespaces(7)). With several threads it is
// not always: a signal that the first thread blocks for the moment, as Go's do
// while one makes another, is not dropped but given to a thread that does not
// block it, and is fatal there (kernel/signal.c, sig_ignored and
// complete_signal). Ignored signals never are. But the program would inherit
// that (execve(2)): so there are no handlers until it is there, and then all
// signals are ignored.
//
// A fault of our own is the kernel's to witness then: there is no trace of it.

// Go's runtime needs these two handlers: one preempts goroutines, the other
// makes a system call on every thread. Both do nothing for a signal that came
// from elsewhere.
var runtimeSignals = []unix.Signal{unix.SIGURG, 33}

// The actions that are no handlers (linux/signal.h, SIG_DFL and SIG_IGN).
const (
	actionDefault = 0
	actionIgnore  = 1
)

// unhandle takes the handlers away, before there is a program.
func unhandle() error {
	if os.Getpid() != 1 {
		return errors.New("a worker for a native program must be process 1")
	}
	return act(actionDefault, runtimeSignals...)
}

// ignore makes signals harmless, once there is a program. The default action
// of SIGCHLD is nothing already; if it were ignored the kernel would reap, and
// nobody learn how the program ended (wait(2)).
func ignore() error {
	return act(actionIgnore, append(runtimeSignals, unix.SIGCHLD)...)
}

// act sets what is done for every signal for which that can be set.
func act(action uint64, except ...unix.Signal) error {
	except = append(except, unix.SIGKILL, unix.SIGSTOP)
	for s := unix.Signal(1); s <= 64; s++ {
		if slices.Contains(except, s) {
			continue
		}
		if err := setAction(s, action); err != nil {
			return fmt.Errorf("cannot set the action of signal %d: %w", int(s), err)
		}
	}
	return nil
}

// sigaction is the kernel's struct (rt_sigaction, not sigaction(2)).
type sigaction struct{ handler, flags, restorer, mask uint64 }

func setAction(s unix.Signal, action uint64) error {
	sa := sigaction{handler: action}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&sa)), 0, unsafe.Sizeof(sa.mask), 0, 0)
	runtime.KeepAlive(&sa)
	if errno != 0 {
		return errno
	}
	return nil
}
