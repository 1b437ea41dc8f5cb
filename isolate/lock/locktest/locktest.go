// Package locktest shows a process an older kernel than the one that it runs
// on, for tests of what happens where a lock does not exist.
package locktest

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// HideMDWE has the kernel answer this process, all its threads and all that
// they start, as one before Linux 6.3 would when asked to set or read MDWE:
// with EINVAL. It sets no_new_privs, and cannot be undone.
func HideMDWE() error {
	const nr, option = 0, 16 // offsets in struct seccomp_data: nr, the lower half of args[0]
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	is := func(value uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: value, Jt: yes, Jf: no}
	}
	answer := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	return install([]unix.SockFilter{
		load(nr),
		is(unix.SYS_PRCTL, 0, 3),
		load(option),
		is(unix.PR_SET_MDWE, 2, 0),
		is(unix.PR_GET_MDWE, 1, 0),
		answer(unix.SECCOMP_RET_ALLOW),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL)),
	})
}

// install puts a filter on all threads.
func install(filter []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot set no_new_privs: %w", err)
	}
	tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 || tid != 0 {
		return fmt.Errorf("cannot install a filter: %w (thread %d)", errno, tid)
	}
	return nil
}
