package seccomp

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// instructionSize is sizeof(struct sock_filter).
const instructionSize = 8

// Install puts the filter on every thread of this process, for ever. The
// program is an array of struct sock_filter in native byte order, as compile
// makes it. no_new_privs must be set on every thread.
//
// The kernel either changes all threads or none (SECCOMP_FILTER_FLAG_TSYNC,
// seccomp(2)), and threads made later inherit the filter. The caller proves the
// filter by a call that it answers, since after it there is no asking the
// kernel.
//
// The kernel logs a call that it kills for in any case. SECCOMP_FILTER_FLAG_LOG
// would add the calls that are merely answered with an error, which Go's runtime
// makes at every start and by which nobody learns anything.
func Install(program []byte) error {
	if err := checkProgram(program); err != nil {
		return fmt.Errorf("cannot install seccomp filter: %w", err)
	}
	if err := actionAvailable(KillProcess); err != nil {
		return fmt.Errorf("cannot install seccomp filter: kernel cannot kill a process for a system call: %w", err)
	}
	fprog := unix.SockFprog{
		Len:    uint16(len(program) / instructionSize),
		Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0])),
	}
	// The thread that calls is the one whose filters the others receive.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(program)
	switch {
	case errno != 0:
		return fmt.Errorf("cannot install seccomp filter: seccomp: %w", errno)
	case tid != 0:
		return fmt.Errorf("cannot install seccomp filter: thread %d has a filter of its own", tid)
	}
	return nil
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
