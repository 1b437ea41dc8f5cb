// Package seccomp says which system calls each kind of worker may make, and
// installs the filter that holds it to them.
//
// What a role may call is a table: one row is a system call, a rule for its
// arguments, what the kernel does, and why. The table is data. It is compiled
// to a BPF program by the subpackage compile, once in the launcher; a worker
// receives the program ready and only installs it. Decide evaluates the same
// table in Go: tests hold the program to it, and the escape tests take their
// expectations from it.
//
// What no row of a table matches is not done: see Default and Otherwise. A
// filter looks at register values only. It cannot follow pointers, so it is no
// check on path names, addresses or messages: the namespaces, Landlock and the
// missing files are.
package seccomp

import (
	"fmt"
	"strings"
	"syscall"
)

// Action is what the kernel does with a system call: the value that a filter
// program returns for it (SECCOMP_RET_* in linux/seccomp.h).
type Action uint32

// The actions that tables use besides Errno.
const (
	Allow       Action = 0x7fff0000
	KillProcess Action = 0x80000000 // SIGSYS for every thread, not to be caught
	Notify      Action = 0x7fc00000 // the listener is asked, and the call waits; in no table

	actionErrno Action = 0x00050000
	errnoMask   Action = 0x0000ffff
)

// Errno makes the call fail with e without being run; with 0 it succeeds without
// being run.
func Errno(e syscall.Errno) Action { return actionErrno | Action(e)&errnoMask }

// Errno gives the error that the action makes a call fail with.
func (a Action) Errno() (syscall.Errno, bool) {
	if a&^errnoMask != actionErrno {
		return 0, false
	}
	return syscall.Errno(a & errnoMask), true
}

// String gives the action as the printed table has it.
func (a Action) String() string {
	if e, ok := a.Errno(); ok && e == 0 {
		return "nothing, as if done"
	} else if ok {
		return "errno " + errnoName(e)
	}
	switch a {
	case Allow:
		return "allow"
	case KillProcess:
		return "kill"
	case Notify:
		return "notify"
	}
	return fmt.Sprintf("action %#x", uint32(a)) // cannot happen: tables hold no other
}

// errnoName names the errors that tables use, and numbers any other.
func errnoName(e syscall.Errno) string {
	switch e {
	case syscall.EPERM:
		return "EPERM"
	case syscall.ENOSYS:
		return "ENOSYS"
	case syscall.EINVAL:
		return "EINVAL"
	case syscall.EOPNOTSUPP:
		return "EOPNOTSUPP"
	}
	return fmt.Sprint(uint16(e))
}

// Arg is a condition on one argument of a system call: all 64 bits of the
// register, masked, must equal Value.
type Arg struct {
	Index int    // 0 to 5
	Mask  uint64 // which bits count
	Value uint64
	Text  string // the condition in words that the printed table shows
}

func (a Arg) matches(args [6]uint64) bool { return args[a.Index]&a.Mask == a.Value }

// is demands an exact value of the whole register.
func is(index int, value uint64, text string) Arg {
	return Arg{Index: index, Mask: ^uint64(0), Value: value, Text: text}
}

// only demands that no bit of the register is set but those of allowed.
func only(index int, allowed uint64, text string) Arg {
	return Arg{Index: index, Mask: ^allowed, Value: 0, Text: text}
}

// is32 demands a value of an argument that the kernel takes as an int, or as an
// unsigned int: it looks at the lower half of the register alone, and so must
// the filter. Callers may leave anything in the upper half, and C code that
// passes an int leaves copies of its sign there.
func is32(index int, value uint32, text string) Arg {
	return Arg{Index: index, Mask: low32, Value: uint64(value), Text: text}
}

// without demands that an argument has none of some bits.
func without(index int, bits uint64, text string) Arg {
	return Arg{Index: index, Mask: bits, Value: 0, Text: text}
}

// low32 is the half of a register that the kernel makes an int of.
const low32 = 1<<32 - 1

// Rule is one row of a table. It matches a call when every condition does.
// Rows of one system call must not match the same arguments with different
// actions: their order means nothing.
type Rule struct {
	Syscall string // the kernel's name, the same on every architecture
	Args    []Arg
	Action  Action
	Reason  string
	Hot     bool // compared first, because it is frequent and the kernel cannot remember the answer
	Quiet   bool // refused without a record: libraries ask as a matter of routine, and go on without
}

// allow, refuse and answer make rows.
func allow(call, reason string, args ...Arg) Rule {
	return Rule{Syscall: call, Args: args, Action: Allow, Reason: reason}
}

func refuse(call, reason string, args ...Arg) Rule {
	return Rule{Syscall: call, Args: args, Action: Errno(syscall.EPERM), Reason: reason}
}

func answer(call string, e syscall.Errno, reason string, args ...Arg) Rule {
	return Rule{Syscall: call, Args: args, Action: Errno(e), Reason: reason}
}

func (r Rule) first() Rule { r.Hot = true; return r }
func (r Rule) quiet() Rule { r.Quiet = true; return r }

func (r Rule) matches(syscall string, args [6]uint64) bool {
	if r.Syscall != syscall {
		return false
	}
	for _, a := range r.Args {
		if !a.matches(args) {
			return false
		}
	}
	return true
}

// Decide says what a role's filters do with a system call entered natively,
// where its rules are those of Table, or what Narrow left of them. Whatever
// enters by another entry (32-bit, x32) is killed and need not be asked about.
func Decide(role Role, rules []Rule, syscall string, args [6]uint64) Action {
	named := false
	for _, r := range rules {
		if r.matches(syscall, args) {
			return r.Action
		}
		named = named || r.Syscall == syscall
	}
	if named {
		return Otherwise(role)
	}
	return Default(role)
}

// conditions gives a rule's conditions in words.
func (r Rule) conditions() string {
	var texts []string
	for _, a := range r.Args {
		texts = append(texts, a.Text)
	}
	return strings.Join(texts, " and ")
}
