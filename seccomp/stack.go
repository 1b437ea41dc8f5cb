package seccomp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Filter is one program and how it is installed.
//
// A filter with Listen has the kernel ask whoever reads its listener about each
// call for which the program returns Notify, and holds the caller until there is
// an answer. The listener is a descriptor of the process that installs the
// filter, closed on exec. The kernel gives its number to the thread that
// installed it and to nobody else, and that thread may be held at its very next
// call: some other process must look for it, in /proc/PID/fd as
// "anon_inode:seccomp notify", take it by pidfd_getfd, and answer. A process has
// one listener at most (EBUSY).
type Filter struct {
	Program []byte // an array of struct sock_filter, in native byte order
	Log     bool   // have the kernel tell of what it refuses, too (SECCOMP_FILTER_FLAG_LOG)
	Listen  bool   // make a listener for what it asks about (SECCOMP_FILTER_FLAG_NEW_LISTENER)
}

// Stack is what a process is held to: its filters, in the order in which they
// are installed. The kernel runs all of them, and the strictest answer wins; of
// two errors the one from the filter that was installed last.
type Stack []Filter

// MaxStack is how many filters a Stack may have.
const MaxStack = 4

// stackHeader is what precedes each program in the form of Marshal: flags (1
// for Log, 2 for Listen) and the program's length in bytes, each 32 bits in
// native byte order.
const stackHeader = 8

// Marshal gives the form in which a stack travels to the process that installs
// it.
func (s Stack) Marshal() []byte {
	var b []byte
	for _, f := range s {
		var flags uint32
		if f.Log {
			flags |= 1
		}
		if f.Listen {
			flags |= 2
		}
		b = binary.NativeEndian.AppendUint32(b, flags)
		b = binary.NativeEndian.AppendUint32(b, uint32(len(f.Program)))
		b = append(b, f.Program...)
	}
	return b
}

// ParseStack reads what Marshal gives. The programs share b's memory.
func ParseStack(b []byte) (Stack, error) {
	var s Stack
	for len(b) > 0 {
		if len(s) == MaxStack {
			return nil, fmt.Errorf("more than %d filters", MaxStack)
		}
		if len(b) < stackHeader {
			return nil, errors.New("filter cut short")
		}
		flags, n := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
		b = b[stackHeader:]
		if flags > 3 || uint64(n) > uint64(len(b)) {
			return nil, fmt.Errorf("filter with flags %#x and %d of %d bytes", flags, n, len(b))
		}
		if err := checkProgram(b[:n]); err != nil {
			return nil, err
		}
		s = append(s, Filter{Program: b[:n:n], Log: flags&1 != 0, Listen: flags&2 != 0})
		b = b[n:]
	}
	return s, nil
}
