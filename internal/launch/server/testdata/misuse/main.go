// Misuse is a worker for tests that is refused system calls and runs into
// faults, itself or through a child. What it does is in the variable MISUSE.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	mode, how, _ := strings.Cut(os.Getenv("MISUSE"), " ")
	switch mode {
	case "refused", "flood", "kinds", "killed", "between":
		filter()
	}
	switch mode {
	case "refused":
		unix.Sethostname(nil)
		unix.Setdomainname(nil) // logged, and done
		say("done")
		time.Sleep(time.Hour)
	case "flood":
		for range 20000 {
			unix.Sethostname(nil)
		}
	case "kinds":
		for nr := uintptr(first); nr <= last; nr++ {
			syscall.RawSyscall(nr, 0, 0, 0)
		}
	case "killed": // a child; its parent goes on
		child("between")
		os.Exit(128 + int(unix.SIGSYS))
	case "between":
		unix.Setdomainname(nil)
		syscall.RawSyscall(unix.SYS_ADJTIMEX, 0, 0, 0)
	case "fault":
		fault(how)
	case "child": // faults and is reaped at once; the name is hostile
		child("fault " + how)
		os.Exit(128 + int(unix.SIGSEGV))
	case "sleep":
		say("ready")
		time.Sleep(time.Hour)
	}
}

func say(s string) { fmt.Fprintln(os.Stderr, s) }

// child runs this program again, in another mode, and waits for it.
func child(mode string) {
	pid, err := syscall.ForkExec(os.Args[0], os.Args[:1], &syscall.ProcAttr{Env: []string{"MISUSE=" + mode}, Files: []uintptr{0, 1, 2}})
	if err != nil {
		say(err.Error())
		os.Exit(1)
	}
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil {
		say(err.Error())
	}
}

// fault ends the process by a signal that the kernel makes. The name is of one
// thread (prctl(2)): it must be the one that dies.
func fault(how string) {
	runtime.LockOSThread()
	for _, sig := range []unix.Signal{unix.SIGSEGV, unix.SIGILL, unix.SIGBUS} {
		ignoreNoMore(sig)
	}
	name := []byte("a]: x[1] trap \x00")
	unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	switch how {
	case "null":
		read(0x18)
	case "wild":
		read(0x123456789000)
	case "upper": // no address at all
		read(0x8000_0000_0000_0000)
	case "execute":
		b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			say(err.Error())
		}
		b[0] = 0xc3
		jump(uintptr(unsafe.Pointer(&b[0])))
	case "guard":
		b, err := unix.Mmap(-1, 0, 128<<10, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			say(err.Error())
		}
		unix.Mprotect(b[:4096], unix.PROT_NONE)
		overflow(uintptr(unsafe.Pointer(&b[0])) + uintptr(len(b)))
	case "illegal":
		illegal()
	case "bus": // behind the end of a file
		f, err := os.Open(os.Args[0])
		if err != nil {
			say(err.Error())
		}
		info, _ := f.Stat()
		size := int(info.Size())
		b, err := unix.Mmap(int(f.Fd()), 0, size+8192, unix.PROT_READ, unix.MAP_PRIVATE)
		if err != nil {
			say(err.Error())
		}
		read(uintptr(unsafe.Pointer(&b[size+4096])))
	}
}

// ignoreNoMore gives a signal its default action, behind the runtime's back.
func ignoreNoMore(sig unix.Signal) {
	var action [4]uint64 // SIG_DFL
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// Calls first to last are refused by the filter, sethostname too. Of them are
// none that Go makes.
const first, last = 440, 539

// filter refuses some calls with a record of it: linux/bpf_common.h, linux/seccomp.h.
func filter() {
	const ret, jmp = unix.BPF_RET | unix.BPF_K, unix.BPF_JMP | unix.BPF_K
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the system call's number
		{Code: jmp | unix.BPF_JEQ, Jf: 1, K: unix.SYS_SETHOSTNAME},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: jmp | unix.BPF_JEQ, Jf: 1, K: unix.SYS_SETDOMAINNAME},
		{Code: ret, K: unix.SECCOMP_RET_LOG},
		{Code: jmp | unix.BPF_JEQ, Jf: 1, K: unix.SYS_ADJTIMEX},
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: jmp | unix.BPF_JGE, Jf: 2, K: first},
		{Code: jmp | unix.BPF_JGT, Jt: 1, K: last},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const tsync, log = 1, 2
	if _, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, tsync|log, uintptr(unsafe.Pointer(&p))); e != 0 {
		say(e.Error())
		os.Exit(1)
	}
}
