package main

import (
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// prepareAttack does what must be done before the attacker seals itself. It
// gives descriptors to keep besides the worker's.
func prepareAttack(r attack.Request) ([]int, error) {
	if r.Attack != attack.SpyOnKin {
		return nil, nil
	}
	request, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	proc, ours, err := start("victim", string(request))
	if err != nil {
		return nil, err
	}
	var o attack.Outcome
	if err := json.NewDecoder(ours).Decode(&o); err != nil {
		return nil, err
	}
	if o.Failed != "" {
		return nil, errors.New(o.Failed)
	}
	prey, leash = proc.Pid, ours
	return []int{descriptor(ours)}, nil
}

// prey is the victim, which lives while the leash is open.
var (
	prey  int
	leash *os.File
)

func descriptor(f *os.File) (n int) {
	conn, err := f.SyscallConn()
	if err == nil {
		conn.Control(func(fd uintptr) { n = int(fd) })
	}
	return n
}

// spy reads the victim's memory where the same program has its own text.
func spy(attack.Request) attack.Outcome {
	var b [8]byte
	local := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	remote := unix.RemoteIovec{Base: funcAddress(), Len: len(b)}
	ret, _, errno := syscall.Syscall6(unix.SYS_PROCESS_VM_READV, uintptr(prey),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	runtime.KeepAlive(leash)
	return result(ret, errno)
}

// funcAddress is an address in the program's text. The program is not
// relocatable, so it is the same in every process.
func funcAddress() uintptr {
	pc, _, _, _ := runtime.Caller(0)
	return pc
}

// breed makes processes that wait for nothing, until it has enough or may make
// no more, and ends them.
func breed(r attack.Request) attack.Outcome {
	// Landlock's domains are per thread, and let a process be signalled from
	// the thread that made it alone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var litter []int
	defer func() {
		for _, pid := range litter {
			unix.Kill(pid, unix.SIGKILL)
			unix.Wait4(pid, nil, 0, nil)
		}
	}()
	for range r.Args[0] {
		pid, errno := fork()
		if errno != 0 {
			return attack.Outcome{Errno: errno}
		}
		litter = append(litter, pid)
	}
	return attack.Outcome{}
}

// fork makes a process that sleeps. It has one thread of the runtime's many, so
// it may do nothing else.
//
//go:norace
func fork() (int, syscall.Errno) {
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 && errno == 0 {
		syscall.RawSyscall6(unix.SYS_CLOSE, channel, 0, 0, 0, 0, 0) // or it would outlive the attacker
	}
	for pid == 0 && errno == 0 {
		syscall.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
	return int(pid), errno
}

// spin uses Args[0] milliseconds of a processor.
func spin(r attack.Request) attack.Outcome {
	end := unix.Timespec{Nsec: int64(r.Args[0]) * 1e6}
	for now := (unix.Timespec{}); now.Nano() < end.Nano(); {
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
			return ended(err)
		}
	}
	return attack.Outcome{}
}

// readKey looks for a key by its name in the session keyring that it inherited.
func readKey(r attack.Request) attack.Outcome {
	_, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", r.Text, 0)
	return ended(err)
}
