package server

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// line is what the kernel's log says of a fault. The kernel writes one for a
// signal that the process does not handle, if debug.exception-trace is set and
// no more than ten others came in five seconds:
//
//	NAME[TID]: segfault at 8 ip 000055d0 sp 00007ffd error 6 in FILE[…]
//	traps: NAME[TID] trap invalid opcode ip:55d0 sp:7ffd error:0 in FILE[…]
//	traps: NAME[TID] general protection fault ip:55d0 sp:7ffd error:0 in FILE[…]
//
// (arch/x86/mm/fault.c, arch/x86/kernel/traps.c), and on arm64, which tells no
// address (arch/arm64/kernel/traps.c):
//
//	NAME[TID]: unhandled exception: DABT (lower EL), ESR 0x92000046, level 2 translation fault in FILE[…]
//
// NAME and FILE are the program's to choose. NAME has at most 15 bytes, which
// are too few for the words that follow it: the first place where everything
// fits is the kernel's own.
type line struct {
	tid     int // of the thread, in the first pid namespace
	command string
	signal  int
	class   mp.Fault
	address uint64
	ip      uint64
}

// maxName is TASK_COMM_LEN without the final zero.
const maxName = 15

// parseLine reads one line of the kernel's log.
func parseLine(text string) (line, bool) {
	text, trap := strings.CutPrefix(text, "traps: ")
	name := 0 // bytes of it so far
	for i := 0; i < len(text) && name <= maxName; i += width(text[i:]) {
		if text[i] == '[' {
			if l, ok := parseRest(text[i:], trap); ok {
				l.command = unescape(text[:i])
				return l, true
			}
		}
		name++
	}
	return line{}, false
}

// parseRest reads what the kernel writes behind the name.
func parseRest(s string, trap bool) (line, bool) {
	s, _ = strings.CutPrefix(s, "[")
	tid, s, ok := strings.Cut(s, "]")
	n, err := strconv.ParseUint(tid, 10, 31)
	if !ok || err != nil || n == 0 {
		return line{}, false
	}
	l := line{tid: int(n)}
	switch {
	case trap:
		return l, l.trap(s)
	case strings.HasPrefix(s, ": segfault at "):
		return l, l.segfault(s)
	}
	return l, l.exception(s)
}

func (l *line) segfault(s string) bool {
	var sp, code uint64
	if !hexes(s, step{": segfault at ", &l.address}, step{" ip ", &l.ip}, step{" sp ", &sp}, step{" error ", &code}) {
		return false
	}
	l.signal, l.class = int(unix.SIGSEGV), classify(l.address, sp, code)
	return true
}

func (l *line) trap(s string) bool {
	for _, t := range []struct {
		words  string
		signal unix.Signal
		class  mp.Fault
	}{
		{" trap invalid opcode", unix.SIGILL, mp.FaultIllegal},
		// An address of which no hardware has the upper bits, mostly. The kernel
		// does not tell it; an instruction of the kernel's own is no better.
		{" general protection fault", unix.SIGSEGV, mp.FaultWild},
		{" general protection", unix.SIGSEGV, mp.FaultWild}, // before Linux 5.5
	} {
		var sp, code uint64
		if hexes(s, step{t.words + " ip:", &l.ip}, step{" sp:", &sp}, step{" error:", &code}) {
			l.signal, l.class = int(t.signal), t.class
			return true
		}
	}
	return false
}

// exception reads arm64's form. An instruction abort is a jump to what is no
// code; of a data abort nobody can say more without the address.
func (l *line) exception(s string) bool {
	s, ok := strings.CutPrefix(s, ": unhandled exception: ")
	if !ok {
		return false
	}
	l.signal, l.class = int(unix.SIGSEGV), mp.FaultUnknown
	switch {
	case strings.HasPrefix(s, "DABT (lower EL), ESR 0x"):
		return true
	case strings.HasPrefix(s, "IABT (lower EL), ESR 0x"):
		l.class = mp.FaultExec
		return true
	}
	if what, rest, ok := strings.Cut(s, ", ESR 0x"); ok && !strings.Contains(what, " in ") {
		_, s, _ = strings.Cut(rest, ", ")
	}
	l.signal, l.class = int(unix.SIGILL), mp.FaultIllegal
	return strings.HasPrefix(s, "undefined instruction")
}

const (
	nullEnd   = 64 << 10 // of the null page, as the kernel's vm.mmap_min_addr has it
	nearStack = 1 << 20
	fetch     = 0x10 // in the error code: an instruction was to be fetched (X86_PF_INSTR)
)

// classify gives the class of a fault at an address. Near the stack pointer, in
// either direction, is the guard page that a stack ran into: one that grows by
// large frames can step well over its end.
func classify(address, sp, code uint64) mp.Fault {
	switch {
	case address < nullEnd:
		return mp.FaultNull
	case code&fetch != 0:
		return mp.FaultExec
	case max(address, sp)-min(address, sp) <= nearStack:
		return mp.FaultGuard
	}
	return mp.FaultWild
}

// step is a hexadecimal number behind fixed words.
type step struct {
	words string
	to    *uint64
}

// hexes reads one after the other. What follows the last is not looked at, but
// must not be part of the number.
func hexes(s string, steps ...step) bool {
	for _, st := range steps {
		rest, ok := strings.CutPrefix(s, st.words)
		if !ok {
			return false
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) })
		if end < 0 {
			end = len(rest)
		}
		n, err := strconv.ParseUint(rest[:end], 16, 64)
		if err != nil {
			return false
		}
		*st.to, s = n, rest[end:]
	}
	return s == "" || s[0] == ' '
}

// width is how many bytes of text stand for the first byte of what was logged.
func width(s string) int {
	if len(s) >= 4 && s[0] == '\\' && s[1] == 'x' {
		return 4
	}
	return 1
}

// unescape undoes the kernel's \xNN.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := width(s)
		if c, err := strconv.ParseUint(s[n-min(n, 2):n], 16, 8); n == 4 && err == nil {
			b.WriteByte(byte(c))
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}
