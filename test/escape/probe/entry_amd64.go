package main

import (
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

func int80(nr, a1, a2, a3, a4, a5 uintptr) uintptr

// entry32 enters the kernel as a 32-bit program does.
func entry32(r attack.Request) attack.Outcome {
	v := registers(r)
	const highestErrno = 4095
	ret := int80(v[0], v[1], v[2], v[3], v[4], v[5])
	if errno := -int32(ret); errno > 0 && errno <= highestErrno {
		return attack.Outcome{Errno: syscall.Errno(errno)}
	}
	return attack.Outcome{Ret: uint64(uint32(ret))}
}
