package supervisor

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

const goCrash = `SIGSEGV: segmentation violation
fatal error: unexpected signal during runtime execution
[signal SIGSEGV: segmentation violation code=0x1 addr=ADDR pc=0x4a1b2c]

goroutine 1 [running]:
`

func crashAt(addr string) string { return strings.Replace(goCrash, "ADDR", addr, 1) }

func TestDecide(t *testing.T) {
	exited := func(code int) launch.Exited { return launch.Exited{Code: code} }
	signalled := func(s syscall.Signal) launch.Exited { return launch.Exited{Signal: int(s)} }
	oom := launch.Exited{Signal: 9, OOM: true}
	says := func(c mp.Cause, code int) *wire.Ending { return &wire.Ending{Cause: c, Code: code} }
	kill := func(c mp.Cause) *verdict { return &verdict{cause: c, detail: "ours"} }
	rule := errors.New("a rule")
	ended := func(signal int) *wire.Ending { return &wire.Ending{Cause: mp.CauseSignal, Signal: signal} }
	oomAnd := func(code int) launch.Exited { return launch.Exited{Code: code, OOM: true} }
	fault := func(signal int, class mp.Fault) *launch.Fault { return &launch.Fault{Signal: signal, Class: class} }

	tests := []struct {
		name string
		e    evidence
		want mp.Exit
	}{
		// What only the kernel deals out wins over everything.
		{"out of memory", evidence{kernel: oom}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"out of memory while we kill", evidence{kernel: oom, ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"out of memory, with a lie", evidence{kernel: oom, claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"out of memory and a broken rule", evidence{kernel: oom, broke: rule}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"seccomp", evidence{kernel: launch.Exited{Signal: 31, Syscall: "socket"}}, mp.Exit{Cause: mp.CauseSeccomp, Signal: 31, Syscall: "socket"}},
		{"seccomp without a name", evidence{kernel: launch.Exited{Signal: 31}}, mp.Exit{Cause: mp.CauseSeccomp, Signal: 31}},
		{"seccomp while we kill", evidence{kernel: launch.Exited{Signal: 31, Syscall: "bpf"}, ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseSeccomp, Signal: 31, Syscall: "bpf"}},
		{"segmentation fault", evidence{kernel: signalled(syscall.SIGSEGV)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultUnknown}},
		{"bus error", evidence{kernel: signalled(syscall.SIGBUS)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 7, Fault: mp.FaultUnknown}},
		{"segmentation fault with its class", evidence{kernel: signalled(syscall.SIGSEGV), claim: &wire.Ending{Cause: mp.CauseMemoryViolation, Fault: mp.FaultNull}}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultNull}},
		{"segmentation fault with a lie", evidence{kernel: signalled(syscall.SIGSEGV), claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultUnknown}},

		// A broken rule, which we saw.
		{"broken rule, killed", evidence{kernel: signalled(syscall.SIGKILL), broke: rule, ours: kill(mp.CauseProtocol)}, mp.Exit{Cause: mp.CauseProtocol, Signal: 9, Detail: "a rule"}},
		{"broken rule, exited first", evidence{kernel: exited(0), broke: rule, claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseProtocol, Detail: "a rule"}},
		{"broken rule after the operator's kill", evidence{kernel: signalled(syscall.SIGKILL), broke: rule, ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseProtocol, Signal: 9, Detail: "a rule"}},

		// Our own kill explains a SIGKILL and nothing else.
		{"operator", evidence{kernel: signalled(syscall.SIGKILL), ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseKilled, Signal: 9, Detail: "ours"}},
		{"call limit", evidence{kernel: signalled(syscall.SIGKILL), ours: kill(mp.CauseCallLimit)}, mp.Exit{Cause: mp.CauseCallLimit, Signal: 9, Detail: "ours"}},
		{"operator over a claim", evidence{kernel: signalled(syscall.SIGKILL), ours: kill(mp.CauseKilled), claim: says(mp.CauseMemoryLimit, 0)}, mp.Exit{Cause: mp.CauseKilled, Signal: 9, Detail: "ours"}},
		{"operator, but it exited first", evidence{kernel: exited(3), ours: kill(mp.CauseKilled), claim: says(mp.CauseExited, 3)}, mp.Exit{Cause: mp.CauseExited, Code: 3}},
		{"operator, but another signal was first", evidence{kernel: signalled(syscall.SIGTERM), ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseSignal, Signal: 15}},
		{"module threw", evidence{kernel: signalled(syscall.SIGKILL), ours: &verdict{cause: mp.CauseExited, code: 1, detail: "threw"}}, mp.Exit{Cause: mp.CauseExited, Code: 1, Signal: 9, Detail: "threw"}},

		// Signals of others.
		{"kill -9 by somebody", evidence{kernel: signalled(syscall.SIGKILL)}, mp.Exit{Cause: mp.CauseSignal, Signal: 9}},
		{"kill -9 by somebody, with a claim", evidence{kernel: signalled(syscall.SIGKILL), claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseSignal, Signal: 9}},
		{"abort", evidence{kernel: signalled(syscall.SIGABRT), stderr: "\nfatal error: x\nmore"}, mp.Exit{Cause: mp.CauseSignal, Signal: 6, Detail: "fatal error: x"}},

		// Claims that fit the exit.
		{"mp.exit(0)", evidence{kernel: exited(0), claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseExited}},
		{"mp.exit(70)", evidence{kernel: exited(70), claim: says(mp.CauseExited, 70)}, mp.Exit{Cause: mp.CauseExited, Code: 70}},
		{"call limit by itself", evidence{kernel: exited(74), claim: says(mp.CauseCallLimit, 0)}, mp.Exit{Cause: mp.CauseCallLimit}},
		{"memory limit by itself", evidence{kernel: exited(74), claim: &wire.Ending{Cause: mp.CauseMemoryLimit, Detail: "heap"}}, mp.Exit{Cause: mp.CauseMemoryLimit, Detail: "heap"}},
		{"violation caught by itself", evidence{kernel: exited(70), claim: &wire.Ending{Cause: mp.CauseMemoryViolation, Fault: mp.FaultGuard}}, mp.Exit{Cause: mp.CauseMemoryViolation, Fault: mp.FaultGuard}},
		{"it says we broke a rule", evidence{kernel: exited(73), claim: says(mp.CauseProtocol, 0)}, mp.Exit{Cause: mp.CauseProtocol}},
		{"it says we went away", evidence{kernel: exited(71), claim: says(mp.CauseSupervisorGone, 0)}, mp.Exit{Cause: mp.CauseSupervisorGone}},

		// A native program's end, which the worker saw as its parent.
		{"program terminated", evidence{kernel: exited(143), claim: ended(15)}, mp.Exit{Cause: mp.CauseSignal, Signal: 15}},
		{"program killed by itself", evidence{kernel: exited(137), claim: ended(9)}, mp.Exit{Cause: mp.CauseSignal, Signal: 9}},
		{"program out of memory", evidence{kernel: oomAnd(137), claim: ended(9)}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"its child out of memory", evidence{kernel: oomAnd(137), claim: says(mp.CauseExited, 137)}, mp.Exit{Cause: mp.CauseExited, Code: 137, Detail: "the kernel ended one of its processes for the memory limit"}},
		{"its child out of memory, then the operator", evidence{kernel: oom, native: true, ours: kill(mp.CauseKilled)}, mp.Exit{Cause: mp.CauseKilled, Signal: 9, Detail: "ours"}},
		{"worker of a program out of memory", evidence{kernel: oom, native: true}, mp.Exit{Cause: mp.CauseMemoryLimit, Signal: 9}},
		{"program's system call", evidence{kernel: exited(159), claim: ended(31), killed: "bpf"}, mp.Exit{Cause: mp.CauseSeccomp, Signal: 31, Syscall: "bpf"}},
		{"program raises SIGSYS", evidence{kernel: exited(159), claim: ended(31)}, mp.Exit{Cause: mp.CauseSignal, Signal: 31}},
		{"program's fault with its class", evidence{kernel: exited(139), claim: ended(11), fault: fault(11, mp.FaultNull)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultNull}},
		{"program's fault, and another's", evidence{kernel: exited(135), claim: ended(7), fault: fault(11, mp.FaultNull)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 7, Fault: mp.FaultUnknown}},
		{"program's fault without a word", evidence{kernel: exited(139), claim: ended(11)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultUnknown}},
		{"program's bad instruction", evidence{kernel: exited(132), claim: ended(4)}, mp.Exit{Cause: mp.CauseSignal, Signal: 4, Fault: mp.FaultIllegal}},
		{"program's signal, another code", evidence{kernel: exited(0), claim: ended(15)}, mp.Exit{Cause: mp.CauseExited}},
		{"program's signal and a broken rule", evidence{kernel: exited(143), claim: ended(15), broke: rule}, mp.Exit{Cause: mp.CauseProtocol, Detail: "a rule"}},
		{"a rule of the monitor", evidence{kernel: signalled(syscall.SIGKILL), native: true, ours: kill(mp.CauseRule)}, mp.Exit{Cause: mp.CauseRule, Signal: 9, Detail: "ours"}},
		{"worker's fault with the kernel's class", evidence{kernel: signalled(syscall.SIGSEGV), fault: fault(11, mp.FaultExec)}, mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11, Fault: mp.FaultExec}},
		{"worker's bad instruction", evidence{kernel: signalled(syscall.SIGILL)}, mp.Exit{Cause: mp.CauseSignal, Signal: 4, Fault: mp.FaultIllegal}},

		// Claims that do not.
		{"another code", evidence{kernel: exited(4), claim: says(mp.CauseExited, 0)}, mp.Exit{Cause: mp.CauseExited, Code: 4}},
		{"call limit with a clean exit", evidence{kernel: exited(0), claim: says(mp.CauseCallLimit, 0)}, mp.Exit{Cause: mp.CauseExited}},
		{"memory limit with a program's code", evidence{kernel: exited(1), claim: says(mp.CauseMemoryLimit, 0)}, mp.Exit{Cause: mp.CauseExited, Code: 1}},
		{"violation with a clean exit", evidence{kernel: exited(0), claim: says(mp.CauseMemoryViolation, 0)}, mp.Exit{Cause: mp.CauseExited}},
		{"supervisor gone with a clean exit", evidence{kernel: exited(0), claim: says(mp.CauseSupervisorGone, 0)}, mp.Exit{Cause: mp.CauseExited}},
		{"not its to claim", evidence{kernel: exited(0), claim: says(mp.CauseKilled, 0)}, mp.Exit{Cause: mp.CauseExited}},

		// Codes without a word.
		{"code 0", evidence{kernel: exited(0)}, mp.Exit{Cause: mp.CauseExited}},
		{"crashed", evidence{kernel: exited(70), stderr: "panic: nil map\n\ngoroutine 1"}, mp.Exit{Cause: mp.CauseExited, Code: 70, Detail: "the worker crashed: panic: nil map"}},
		{"channel gone", evidence{kernel: exited(71)}, mp.Exit{Cause: mp.CauseSupervisorGone, Code: 71}},
		{"lock missing", evidence{kernel: exited(72), stderr: "landlock"}, mp.Exit{Cause: mp.CauseExited, Code: 72, Detail: "the worker found a lock missing: landlock"}},
		{"channel broken", evidence{kernel: exited(73)}, mp.Exit{Cause: mp.CauseProtocol, Code: 73, Detail: "the worker ended its channel"}},
		{"limit", evidence{kernel: exited(74)}, mp.Exit{Cause: mp.CauseExited, Code: 74, Detail: "a limit, the worker did not say which"}},
		{"Go crash at the null page", evidence{kernel: exited(2), stderr: crashAt("0x18")}, mp.Exit{Cause: mp.CauseMemoryViolation, Code: 2, Fault: mp.FaultNull, Detail: "SIGSEGV: segmentation violation"}},
		{"Go crash in the wild", evidence{kernel: exited(2), stderr: crashAt("0xdeadbeef00")}, mp.Exit{Cause: mp.CauseMemoryViolation, Code: 2, Fault: mp.FaultWild, Detail: "SIGSEGV: segmentation violation"}},
		{"Go crash executing data", evidence{kernel: exited(2), stderr: crashAt("0x4a1b2c")}, mp.Exit{Cause: mp.CauseMemoryViolation, Code: 2, Fault: mp.FaultExec, Detail: "SIGSEGV: segmentation violation"}},
		{"Go panic", evidence{kernel: exited(2), stderr: "panic: x"}, mp.Exit{Cause: mp.CauseExited, Code: 2, Detail: "the worker crashed: panic: x"}},
		{"the text of a crash with a clean exit", evidence{kernel: exited(0), stderr: crashAt("0x18")}, mp.Exit{Cause: mp.CauseExited, Detail: "SIGSEGV: segmentation violation"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decide(tt.e)
			if tt.want.Detail == "" && tt.want.Cause == mp.CauseMemoryLimit {
				got.Detail = "" // its words are not the point
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFirstLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"\n \n x \ny":            "x",
		"a\x1b[31mb":             "a [31mb",
		strings.Repeat("é", 300): strings.Repeat("é", 200) + "…",
	} {
		if got := firstLine(in); got != want {
			t.Errorf("firstLine(%q) = %q, want %q", in, got, want)
		}
	}
}
