package probe

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// What follows runs in a child, on a locked thread.

func childNoNewPrivs() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err == nil && set != 1 {
		err = errors.New("it was set, and is not")
	}
	return err
}

func childSecurebits() error {
	runtime.LockOSThread()
	const norootLocked = 1<<0 | 1<<1 // linux/securebits.h
	return unix.Prctl(unix.PR_SET_SECUREBITS, norootLocked, 0, 0, 0)
}

func childKeyring() error {
	runtime.LockOSThread()
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) // no name: a new one
	return err
}

// childLandlock restricts itself to nothing, and must not open / afterwards.
func childLandlock() error {
	runtime.LockOSThread()
	const readDir = unix.LANDLOCK_ACCESS_FS_READ_DIR
	attr := struct{ fs uint64 }{readDir} // what ABI 1 knows of struct landlock_ruleset_attr
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	if _, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0); !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("a forbidden directory could be opened: %v", err)
	}
	return nil
}

// errNotInKernel is what a child says of a lock that the kernel does not have,
// which is another thing than one that it has and refuses.
var errNotInKernel = errors.New("not in this kernel")

// childMDWE asks for the protection and then tries to make data executable.
func childMDWE() error {
	if !lock.InKernel(lock.MDWE) {
		return errNotInKernel
	}
	if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err != nil {
		return err
	}
	page, err := unix.Mmap(-1, 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC); !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("data could be made executable: %v", err)
	}
	return nil
}

// childSeccomp makes getppid fail on every thread, with an error that the
// kernel would never give.
func childSeccomp() error {
	const odd = unix.EUCLEAN
	if err := installFor(unix.SYS_GETPPID, unix.SECCOMP_RET_ERRNO|uint32(odd)); err != nil {
		return err
	}
	answer := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		_, _, errno := unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
		answer <- errno
	}()
	runtime.LockOSThread() // so that the other goroutine is on another thread
	if errno := <-answer; errno != odd {
		return fmt.Errorf("the filter is not on all threads: %v", errno)
	}
	return nil
}

// childSeccompKill does not return.
func childSeccompKill() error {
	if err := installFor(unix.SYS_GETPPID, unix.SECCOMP_RET_KILL_PROCESS); err != nil {
		return err
	}
	unix.Getppid()
	return errors.New("a system call that should kill was answered")
}

// installFor puts a filter on all threads that treats one system call
// specially and lets all others through.
func installFor(number, action uint32) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number, seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: action},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 || tid != 0 {
		return fmt.Errorf("seccomp: %w (thread %d)", errno, tid)
	}
	return nil
}

func actionAvailable(action uint32) error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return errno
	}
	return nil
}
