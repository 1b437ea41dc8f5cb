package seccomp

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// instructionSize is sizeof(struct sock_filter).
const instructionSize = 8

// Install puts the filters on every thread of this process, in order, for ever.
// no_new_privs must be set on every thread.
//
// The kernel either changes all threads or none (SECCOMP_FILTER_FLAG_TSYNC,
// seccomp(2)), and threads and processes made later inherit the filters. The
// caller proves each by a call that it answers, since after it there is no
// asking the kernel. An error between two filters leaves the first on: the
// process must end.
//
// A filter that others follow must let seccomp through with the flags that they
// take. One with Listen must be the last that this process ever installs: see
// Filter.
func (s Stack) Install() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("cannot install seccomp filters: %w", err)
	}
	if err := actionAvailable(KillProcess); err != nil {
		return fmt.Errorf("cannot install seccomp filters: kernel cannot kill a process for a system call: %w", err)
	}
	// The thread that calls is the one whose filters the others receive.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i, f := range s {
		if err := f.install(); err != nil {
			return fmt.Errorf("cannot install seccomp filter %d of %d: %w", i+1, len(s), err)
		}
	}
	return nil
}

// check finds what could only fail when the first filters are on already.
func (s Stack) check() error {
	if len(s) == 0 || len(s) > MaxStack {
		return fmt.Errorf("%d filters, want 1 to %d", len(s), MaxStack)
	}
	for i, f := range s {
		if err := checkProgram(f.Program); err != nil {
			return err
		}
		if f.Listen && i != len(s)-1 {
			return fmt.Errorf("filter %d has a listener and is not the last", i+1)
		}
	}
	return nil
}

// install puts one filter on. What seccomp returns for a success depends on the
// flags: 0, or the listener.
func (f Filter) install() error {
	fprog := unix.SockFprog{
		Len:    uint16(len(f.Program) / instructionSize),
		Filter: (*unix.SockFilter)(unsafe.Pointer(&f.Program[0])),
	}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, f.flags(), uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(f.Program)
	switch {
	case errno == unix.ESRCH:
		return fmt.Errorf("seccomp: a thread has a filter of its own")
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case r != 0 && !f.Listen:
		return fmt.Errorf("seccomp: thread %d has a filter of its own", r)
	}
	return nil
}

// flags are those of seccomp(2). With a listener, TSYNC reports a thread that
// it could not change by ESRCH, because the descriptor takes the place of the
// thread's number; and a call that the listener has received is not given up
// for a signal, or Go's preemption would have every slow one made again (Linux
// 5.19).
func (f Filter) flags() uintptr {
	flags := uintptr(unix.SECCOMP_FILTER_FLAG_TSYNC)
	if f.Log {
		flags |= unix.SECCOMP_FILTER_FLAG_LOG
	}
	if f.Listen {
		flags |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	}
	return flags
}

// checkProgram catches a program that was cut short or is none. Whether it is
// valid is the kernel's to say.
func checkProgram(program []byte) error {
	const maxInstructions = 4096 // BPF_MAXINSNS
	n := len(program) / instructionSize
	if n == 0 || n > maxInstructions || len(program)%instructionSize != 0 {
		return fmt.Errorf("%d bytes are not a program of 1 to %d instructions", len(program), maxInstructions)
	}
	return nil
}

// actionAvailable asks whether the kernel knows an action. One that does not
// would take the milder SECCOMP_RET_KILL_THREAD in its place.
func actionAvailable(a Action) error {
	action := uint32(a)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return errno
	}
	return nil
}
