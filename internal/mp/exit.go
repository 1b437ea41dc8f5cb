package mp

import (
	"fmt"
	"strings"
)

// Cause says why a worker ended. The list is closed: every end has exactly one.
type Cause string

// The causes. Where two could be named, the one that the kernel witnessed wins
// over the one that the worker claimed.
const (
	CauseExited          Cause = "exited"             // by itself, with a code
	CauseCallLimit       Cause = "call limit"         // a call, or a turn of the event loop, took too long
	CauseMemoryLimit     Cause = "memory limit"       // the heap's or the cgroup's
	CauseKilled          Cause = "killed by operator" // asked for through the control API
	CauseSignal          Cause = "signal"             // any signal not named elsewhere
	CauseSeccomp         Cause = "seccomp"            // a system call that its role does not have
	CauseMemoryViolation Cause = "memory violation"   // SIGSEGV or SIGBUS
	CauseProtocol        Cause = "protocol error"     // it broke the rules of its channel
	CauseSupervisorGone  Cause = "supervisor gone"    // nobody was left to talk to
	CauseRule            Cause = "monitor rule"       // the monitor ended it; Detail has the rule and its evidence
)

// Fault is the class of the address at which a memory violation happened.
type Fault string

// The classes of fault addresses.
const (
	FaultNull    Fault = "null page"  // the first 64 KiB
	FaultGuard   Fault = "guard page" // next to a stack or the heap's end
	FaultExec    Fault = "execute of data"
	FaultWild    Fault = "wild"
	FaultIllegal Fault = "illegal instruction" // SIGILL
	FaultSyscall Fault = "system call"         // SIGSYS
	FaultUnknown Fault = "unknown"
)

// Exit records one worker's end.
type Exit struct {
	Cause   Cause  `json:"cause"`
	Code    int    `json:"code"`              // for CauseExited: 0 to 255
	Signal  int    `json:"signal,omitempty"`  // the signal that ended the process, if one did
	Syscall string `json:"syscall,omitempty"` // for CauseSeccomp: the call's name, "" when the kernel did not tell
	Fault   Fault  `json:"fault,omitempty"`   // for CauseMemoryViolation
	Detail  string `json:"detail,omitempty"`  // one line for people: which limit and how large, which rule
}

// String gives cause and particulars in one line, for people.
func (e Exit) String() string {
	var b strings.Builder
	b.WriteString(string(e.Cause))
	switch {
	case e.Cause == CauseExited:
		fmt.Fprintf(&b, " with code %d", e.Code)
	case e.Cause == CauseSeccomp && e.Syscall != "":
		fmt.Fprintf(&b, ": %s", e.Syscall)
	case e.Cause == CauseSignal:
		fmt.Fprintf(&b, " %d", e.Signal)
	case e.Cause == CauseMemoryViolation && e.Fault != "":
		fmt.Fprintf(&b, ": %s", e.Fault)
	}
	if e.Detail != "" {
		b.WriteString(" (" + e.Detail + ")")
	}
	return b.String()
}

// Exit statuses of the command line that are not a program's own.
// They follow what docker, podman and chroot(1) do.
const (
	StatusThrew    = 1   // the call threw
	StatusFailed   = 125 // our failure
	StatusCannot   = 126 // the package cannot be run
	StatusNotFound = 127 // no such package, instance or function
)

const (
	sigSEGV = 11
	sigKILL = 9
	sigSYS  = 31
)

// Status is the exit status of a command that waited for the program:
// its own code, 128 and a signal's number, or 125 when we failed it.
func (e Exit) Status() int {
	switch e.Cause {
	case CauseExited:
		return e.Code
	case CauseSignal:
		return 128 + e.Signal
	case CauseSeccomp:
		return 128 + sigSYS
	case CauseMemoryViolation:
		if e.Signal != 0 {
			return 128 + e.Signal
		}
		return 128 + sigSEGV
	case CauseCallLimit, CauseMemoryLimit, CauseKilled, CauseProtocol, CauseRule:
		return 128 + sigKILL
	case CauseSupervisorGone:
		return StatusFailed
	}
	return StatusFailed // cannot happen: the list is closed
}
