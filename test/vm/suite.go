package main

import (
	"fmt"
	"regexp"
	"time"
)

// step is one package's tests in the machine.
type step struct {
	pkg     string // its folder
	service bool   // in a control group of its own, as systemd gives a service; else in the top one
	run     string // which of its tests, "" is all
	skip    string // which of them not: only what emulation makes too slow, with the reason beside it
	short   string // which of its tests are in the short selection, "" is none
	timeout time.Duration
	count   int // how often each runs, 0 is once
}

// suite is all that runs in the machines.
var suite = []step{
	{pkg: "isolate/cgroup", service: true, short: "."},
	{pkg: "isolate/cgroup"},
	{pkg: "isolate/lane", service: true},
	{pkg: "isolate/landlock"},
	{pkg: "isolate/probe", short: "."},
	{pkg: "isolate/verify"},
	{pkg: "isolate/enter"},
	{pkg: "isolate", service: true, short: "Memory|ForkBomb|TestNativeView$|TestNativeLocksHold"},
	{pkg: "seccomp"},
	{pkg: "seccomp/compile", skip: "FiltersEqualTable|FiltersKillOtherEntries"}, // those walk the filters without the kernel, for minutes
	// Those send more of the kernel's records at once than an emulated reader takes.
	{pkg: "internal/launch/server", service: true, skip: "^Test(Flood|Kinds)OfRefusals$"},
	{pkg: "cmd/mplauncher"},
	// Those hold a program to a second of real time.
	{pkg: "test/integration", skip: "^TestHostile$|^TestLogFlood$", short: "TestInspect|TestKill", timeout: 5 * time.Minute},
	// Some hundred probes by system call number, argument, socket family or kind of
	// namespace, each a process or two, and the locks once more without the
	// launcher: for minutes.
	{pkg: "test/escape", service: true, timeout: 5 * time.Minute,
		skip: "SystemCalls/(number|condition|socket)|^TestPlain|^TestNativeLocks$/new_(mount|pid|network|ipc|uts|cgroup)_namespace"},
}

// special are programs that the tests of the suite build when they run, beside
// those in folders of their own below testdata, which are all built.
var special = []program{
	{pkg: "internal/launch/server", cgo: "0", args: []string{"../../../isolate/testdata/view"}},
	{pkg: "cmd/mplauncher", cgo: "0", args: []string{"../../isolate/testdata/view"}},
	{pkg: "cmd/mplauncher", cgo: "1", args: []string{"-tags", "osusergo,netgo", "-ldflags", static, "."}},
	{pkg: "test/escape", cgo: "0", args: []string{"./probe"}},
	rogue(""), rogue("crash"), rogue("exit"), rogue("wrong-secret"), rogue("handshake-of-garbage"), rogue("handshake-of-4-GiB"), rogue("no-seal"),
	module(), module("-buildmode=c-shared"),
}

// wasm is the folder below testdata of the program that becomes modules.
const wasm = "wasm"

// module is a program of WebAssembly.
func module(flags ...string) program {
	return program{pkg: "test/integration", cgo: "0", args: append(flags, "./testdata/"+wasm), env: []string{"GOOS=wasip1", "GOARCH=wasm"}}
}

// rogue is a worker that misbehaves before it is sealed.
func rogue(trick string) program {
	return program{pkg: "test/integration", cgo: "0", args: []string{"-buildmode=exe", "-ldflags=-s -w -X main.earlyTrick=" + trick, "./testdata/rogue"}}
}

// allowance is a test that may skip in a machine.
type allowance struct {
	kernel string // "" is any
	test   *regexp.Regexp
	reason string
}

const hosts = "the machine has busybox alone; every host that tests runs these"

var allowances = []allowance{
	{"", regexp.MustCompile(`^seccomp/compile TestProgramsWork/(bash|python)$`), hosts},
	{"", regexp.MustCompile(`^isolate/cgroup TestCreateNamesAMissingControllerAndLeavesNothing$`), "version 2 has one directory for all controllers: a table tests the same"},
	{"", regexp.MustCompile(`^isolate/cgroup TestMemoryLimitBelowUse$`), "version 2 does not refuse such a limit"},
	{"6.1", regexp.MustCompile(`^test/escape Test\w+Locks/(mdwe|map_memory_to_write_and_execute$|make_written_memory_executable$)`), "MDWE came with 6.3; the filter that stands in is tested"},
	{"6.1", regexp.MustCompile(`^test/escape Test\w+Locks/landlock/bind_a_TCP_port$`), "Landlock denies ports since 6.7"},
	{"6.1", regexp.MustCompile(`^test/escape Test\w+Locks/landlock/signal_process_1$`), "Landlock denies signals since 6.12"},
}

// choose gives the steps that the options ask for.
func choose(o options) []step {
	var steps []step
	for _, s := range suite {
		if o.short {
			s.run = s.short
		}
		if o.short && s.short == "" || !o.only.MatchString(s.pkg) {
			continue
		}
		if s.count = o.count; o.tests != "" {
			s.run, s.skip = o.tests, ""
		}
		steps = append(steps, s)
	}
	return steps
}

// command is the step's test binary with its arguments.
func (s step) command() []string {
	timeout := s.timeout
	if timeout == 0 {
		timeout = 3 * time.Minute
	}
	words := []string{testPath(s.pkg), "-test.v", "-test.timeout=" + timeout.String()}
	if s.count > 1 {
		words = append(words, fmt.Sprintf("-test.count=%d", s.count))
	}
	if s.run != "" {
		words = append(words, "-test.run="+s.run)
	}
	if s.skip != "" {
		words = append(words, "-test.skip="+s.skip)
	}
	return words
}

// name is the step's package, and where it runs if that is not the top group.
func (s step) name() string {
	if s.service {
		return s.pkg + " (as a service)"
	}
	return s.pkg
}
