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

// breed starts processes that stay until it is over.
func breed(r attack.Request) attack.Outcome {
	var n uint64
	var leashes []*os.File
	for ; n < r.Args[0]; n++ {
		_, ours, err := start("child")
		if err != nil {
			break
		}
		leashes = append(leashes, ours)
	}
	runtime.KeepAlive(leashes)
	return attack.Outcome{Ret: n}
}
