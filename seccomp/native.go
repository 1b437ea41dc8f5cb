package seccomp

import (
	"slices"
	"strings"
)

// native is what an unmodified program may call, by subject. The worker above
// it is under the same filter until it has forked the program. It starts and
// waits for processes as any program does, so that no row is for it alone but
// where the reason says so.
//
// A system call has a row here if Linux 6.18 has it, to be allowed or refused;
// what is newer gets ENOSYS, for which every program made for it has to be
// prepared. Arguments that the kernel takes as an int are compared as it does,
// by the lower half of the register.
func native() []Rule {
	return slices.Concat(
		nativeFiles(), nativeDescriptors(), nativeMemory(), nativeProcesses(), nativeSelf(),
		nativeTime(), nativeSockets(), nativeIoctl(), nativeRefused(),
	)
}

// each allows several calls for one reason.
func each(names, reason string, args ...Arg) (rows []Rule) {
	for _, name := range strings.Fields(names) {
		rows = append(rows, allow(name, reason, args...))
	}
	return rows
}

// refuseEach refuses several calls for one reason.
func refuseEach(names, reason string) (rows []Rule) {
	for _, name := range strings.Fields(names) {
		rows = append(rows, refuse(name, reason))
	}
	return rows
}

// value is a value of an argument and its name in the kernel's headers.
type value struct {
	v    uint32
	name string
}

// anyOf allows a call for each of several values of one int argument. It is one
// row for each, since a row cannot hold "or".
func anyOf(call, reason string, index int, argument string, values []value, more ...Arg) (rows []Rule) {
	for _, v := range values {
		rows = append(rows, allow(call, reason, append([]Arg{is32(index, v.v, argument+" is "+v.name)}, more...)...))
	}
	return rows
}
