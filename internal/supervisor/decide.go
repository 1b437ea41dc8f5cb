package supervisor

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// The exit codes that a worker's own code uses when it cannot go on. A program
// may use the same numbers with mp.exit; then its worker says so in an Ending.
const (
	codeGoCrash     = 2  // the Go runtime, after printing why
	codeCrashed     = 70 // the worker's code failed; standard error says where
	codeChannelGone = 71 // its channel ended
	codeMissing     = 72 // a required lock is missing
	codeProtocol    = 73 // what came over the channel broke a rule
	codeLimit       = 74 // the program overstepped a limit; the Ending says which
)

// verdict is why this supervisor had a worker killed. The first one stays.
type verdict struct {
	cause  mp.Cause
	code   int // for CauseExited
	detail string
}

// evidence is all that is known about a worker's end.
type evidence struct {
	kernel launch.Exited // as the kernel told the launcher
	broke  error         // the rule of its channel that it broke, as we saw
	ours   *verdict      // nil if we did not kill it
	claim  *wire.Ending  // its last word, if it sent one
	stderr string        // the beginning of what it wrote there, hostile text

	native bool          // its processes may be ended one by one
	killed string        // the latest system call that ended one of its processes, by the kernel's audit record
	fault  *launch.Fault // the latest of its processes' faults, by the kernel's log
}

// decide names the one cause of a worker's end. In order of trust:
//
//  1. a death that only the kernel deals out: out of memory, a forbidden
//     system call, a memory violation;
//  2. a broken protocol, which we saw ourselves;
//  3. our own SIGKILL, for the reason we had;
//  4. any other signal, from wherever it came;
//  5. the worker's own claim, if the exit that the kernel saw fits it: also how
//     a native program ended, whose parent the worker is;
//  6. the exit code.
func decide(e evidence) mp.Exit {
	k := e.kernel
	switch sig := syscall.Signal(k.Signal); {
	case k.OOM && sig == syscall.SIGKILL && !(e.native && e.ours != nil):
		return mp.Exit{Cause: mp.CauseMemoryLimit, Signal: k.Signal, Detail: "the whole worker's, enforced by the kernel"}
	case sig == syscall.SIGSYS:
		return mp.Exit{Cause: mp.CauseSeccomp, Signal: k.Signal, Syscall: k.Syscall}
	case sig == syscall.SIGSEGV, sig == syscall.SIGBUS:
		return mp.Exit{Cause: mp.CauseMemoryViolation, Signal: k.Signal, Fault: e.faultOf(k.Signal)}
	case e.broke != nil:
		return mp.Exit{Cause: mp.CauseProtocol, Signal: k.Signal, Detail: firstLine(e.broke.Error())}
	case e.ours != nil && sig == syscall.SIGKILL:
		return mp.Exit{Cause: e.ours.cause, Code: e.ours.code, Signal: k.Signal, Detail: e.ours.detail}
	case sig == syscall.SIGILL:
		return mp.Exit{Cause: mp.CauseSignal, Signal: k.Signal, Fault: mp.FaultIllegal, Detail: firstLine(e.stderr)}
	case sig != 0:
		return mp.Exit{Cause: mp.CauseSignal, Signal: k.Signal, Detail: firstLine(e.stderr)}
	case e.claim != nil && fits(*e.claim, k.Code):
		return e.claimed()
	}
	return byCode(k.Code, e.stderr)
}

// claimed is the end that the worker claimed, when that can be so.
func (e *evidence) claimed() mp.Exit {
	c := e.claim
	x := mp.Exit{Cause: c.Cause, Code: c.Code, Signal: c.Signal, Fault: c.Fault, Detail: firstLine(c.Detail)}
	switch {
	case c.Cause == mp.CauseSignal:
		return e.ofProgram(x)
	case c.Cause == mp.CauseExited && e.kernel.OOM && x.Detail == "":
		x.Detail = "the kernel ended one of its processes for the memory limit"
	}
	return x
}

// ofProgram is the end of a native program by a signal, which the worker saw as
// its parent. The kernel's own records say what the signal was for.
func (e *evidence) ofProgram(x mp.Exit) mp.Exit {
	switch sig := syscall.Signal(x.Signal); {
	case sig == syscall.SIGKILL && e.kernel.OOM:
		x.Cause, x.Detail = mp.CauseMemoryLimit, "all of the program's processes together, enforced by the kernel"
	case sig == syscall.SIGSYS && e.killed != "":
		x.Cause, x.Syscall = mp.CauseSeccomp, e.killed
	case sig == syscall.SIGSEGV, sig == syscall.SIGBUS:
		x.Cause, x.Fault = mp.CauseMemoryViolation, e.faultOf(x.Signal)
	case sig == syscall.SIGILL:
		x.Fault = mp.FaultIllegal
	}
	return x
}

// faultOf is the class of address behind a signal: the kernel's log knows, or
// else the worker may have told before the signal took it.
func (e *evidence) faultOf(signal int) mp.Fault {
	switch {
	case e.fault != nil && e.fault.Signal == signal && e.fault.Class != "":
		return e.fault.Class
	case e.claim != nil && e.claim.Cause == mp.CauseMemoryViolation && e.claim.Fault != "":
		return e.claim.Fault
	}
	return mp.FaultUnknown
}

// fits reports whether a process that made this claim could have exited so.
func fits(claim wire.Ending, code int) bool {
	switch claim.Cause {
	case mp.CauseExited:
		return claim.Code == code
	case mp.CauseSignal:
		return code == 128+claim.Signal
	case mp.CauseMemoryViolation:
		return code == codeCrashed || code == codeGoCrash
	case mp.CauseProtocol:
		return code == codeProtocol
	case mp.CauseSupervisorGone:
		return code == codeChannelGone
	case mp.CauseCallLimit, mp.CauseMemoryLimit:
		return code == codeLimit
	}
	return false // the other causes are not a worker's to claim
}

// byCode reads an exit code that came without a word, or with a false one.
func byCode(code int, stderr string) mp.Exit {
	said := firstLine(stderr)
	switch code {
	case codeGoCrash, codeCrashed:
		if fault, ok := crashFault(stderr); ok {
			return mp.Exit{Cause: mp.CauseMemoryViolation, Code: code, Fault: fault, Detail: said}
		}
		return mp.Exit{Cause: mp.CauseExited, Code: code, Detail: withText("the worker crashed", said)}
	case codeChannelGone:
		return mp.Exit{Cause: mp.CauseSupervisorGone, Code: code, Detail: said}
	case codeMissing:
		return mp.Exit{Cause: mp.CauseExited, Code: code, Detail: withText("the worker found a lock missing", said)}
	case codeProtocol:
		return mp.Exit{Cause: mp.CauseProtocol, Code: code, Detail: withText("the worker ended its channel", said)}
	case codeLimit:
		return mp.Exit{Cause: mp.CauseExited, Code: code, Detail: withText("a limit, the worker did not say which", said)}
	}
	return mp.Exit{Cause: mp.CauseExited, Code: code, Detail: said}
}

func withText(what, text string) string {
	if text == "" {
		return what
	}
	return what + ": " + text
}

// crash is the line with which the Go runtime reports a SIGSEGV or SIGBUS.
var crash = regexp.MustCompile(`(?m)^\[signal SIG(?:SEGV|BUS): [a-z ]+ code=0x[0-9a-f]+ addr=0x([0-9a-f]{1,16}) pc=0x([0-9a-f]{1,16})\]`)

// crashFault classifies the address of a crash that the Go runtime caught and
// reported. The text is the worker's, so this is worth as much as a claim.
func crashFault(stderr string) (mp.Fault, bool) {
	m := crash.FindStringSubmatch(stderr)
	if m == nil {
		return "", false
	}
	const nullPage = 64 << 10
	addr, _ := strconv.ParseUint(m[1], 16, 64) // 16 digits always fit
	switch {
	case m[1] == m[2]:
		return mp.FaultExec, true
	case addr < nullPage:
		return mp.FaultNull, true
	}
	return mp.FaultWild, true
}

const maxLine = 400 // bytes of a one-line detail

// firstLine gives the first line that has text, cut to a readable length and
// without control characters: it goes into messages of our own.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if len(line) > maxLine {
			line = strings.ToValidUTF8(line[:maxLine], "") + "…"
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, line)
	}
	return ""
}

// gone is the end of a program whose launcher is gone: nobody is left who could
// say what the kernel saw. The worker exits when its channel closes.
func gone(why error) mp.Exit {
	return mp.Exit{Cause: mp.CauseSupervisorGone, Detail: fmt.Sprintf("the launcher is gone: %v", why)}
}
