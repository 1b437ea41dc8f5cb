package wasm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// forever is a module whose loop does not end, in an export or where it starts.
func forever(where string) []byte {
	loop := code(opLoop, branch(0), opEnd)
	switch where {
	case "start":
		return module{funcs: []function{{export: "f"}, {body: loop}}, start: 1}.assemble()
	default:
		return module{funcs: []function{{export: where, body: loop}}}.assemble()
	}
}

// hostileVariable makes the test binary run one endless program: its process
// cannot go on afterwards.
const hostileVariable = "WASM_TEST_ENDLESS"

// TestEndless has the engine report, at the deadline, a guest that never
// returns: from the start function, _initialize, _start and an export.
func TestEndless(t *testing.T) {
	if where := os.Getenv(hostileVariable); where != "" {
		os.Exit(endless(t, where))
	}
	for _, where := range []string{"start", "_initialize", "_start", "f"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEndless$")
		cmd.Env = append(os.Environ(), hostileVariable+"="+where, "GOMAXPROCS=2")
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 {
			t.Errorf("%s: %v, %s", where, err, out)
		}
	}
}

// endless returns 3 if the program ended for its time.
func endless(t *testing.T, where string) int {
	p := program(forever(where), nil)
	p.Turn = 100 * time.Millisecond
	r, err := load(t, p, Own{})
	if err == nil {
		go func() { r.ended <- r.Run(context.Background()) }()
		_, err = r.call("f", "")
	}
	var exit *engine.Exit
	if errors.As(err, &exit) && exit.Cause == mp.CauseCallLimit {
		return 3
	}
	t.Logf("%s: %v", where, err)
	return 4
}

// What a hostile module does ends with an error, and the next call is served.
func TestTraps(t *testing.T) {
	m := module{
		imports: abi,
		funcs: []function{
			{export: "unreachable", body: opUnreachable},
			{export: "recursion", body: invoke(fnFirst + 1)},
			{export: "outside", body: code(constant(-1), []byte{0x28, 2, 0}, opDrop)},
			{export: "division", body: code(constant(1), constant(0), []byte{0x6d}, opDrop)},
			{export: "input", body: code(constant(-1), invoke(fnInput))},
			{export: "output", body: code(constant(65530), constant(7), invoke(fnOutput))},
			{export: "output_all", body: code(constant(0), constant(-1), invoke(fnOutput))},
			{export: "error", body: code(constant(-8), constant(16), invoke(fnError))},
			{export: "request", body: code(constant(0), constant(-1), constant(0), constant(0), invoke(fnRequest), opDrop)},
			{export: "params", body: code(constant(0), constant(1), constant(65536), constant(1), invoke(fnRequest), opDrop)},
			{export: "answer", body: code(constant(0), constant(1), constant(0), constant(0), invoke(fnRequest), opDrop, constant(65530), invoke(fnAnswer))},
			{export: "log", body: code(constant(9), constant(65536), constant(1), invoke(fnLog))},
			{export: "not_json", body: code(constant(0), constant(3), invoke(fnOutput))},
			{export: "returns", results: []byte{tI32}, body: constant(-3)},
			{export: "fails", results: []byte{tI32}, body: code(constant(0), constant(2), invoke(fnError), constant(0))},
			{export: "log_level", body: code(constant(-1), constant(0), constant(2), invoke(fnLog))},
			{export: "parameters", params: []byte{tI32}},
			{export: "fine", body: code(constant(3), constant(2), invoke(fnOutput))},
		},
		pages: 1, data: "\xff\xfe\x0042",
	}
	p := program(m.assemble(), nil)
	p.Heap = 512 << 20
	r := start(t, p, Own{})
	for _, c := range []struct{ name, want string }{
		{"unreachable", "RuntimeError: unreachable"},
		{"recursion", "RangeError: the call stack is full"},
		{"outside", "RuntimeError: out of bounds memory access"},
		{"division", "RuntimeError: integer divide by zero"},
		{"input", "RuntimeError: out of bounds memory access: 1 bytes at 4294967295"},
		{"output", "RuntimeError: out of bounds memory access"},
		{"output_all", "RuntimeError: out of bounds memory access"},
		{"error", "RuntimeError: out of bounds memory access"},
		{"request", "RuntimeError: out of bounds memory access"},
		{"params", "RuntimeError: out of bounds memory access"},
		{"answer", "RuntimeError: out of bounds memory access"},
		{"log", "RuntimeError: out of bounds memory access"},
		{"not_json", "SyntaxError: the output is not JSON"},
		{"returns", "Error: the function returned -3"},
		{"fails", "Error: \ufffd"},
		{"parameters", "not found"},
	} {
		if _, err := r.call(c.name, "0"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if got, err := r.call("fine", ""); got != "42" || err != nil {
			t.Errorf("after %s: %s, %v", c.name, got, err)
		}
	}
	if _, err := r.call("log_level", ""); err != nil || r.logs.String() != "error \ufffd" {
		t.Errorf("log_level: %v, logged %q", err, r.logs)
	}
}

// What cannot be started says why.
func TestRefused(t *testing.T) {
	nothing := []function{{export: "f"}}
	for _, c := range []struct {
		what   string
		module []byte
		want   string
	}{
		{"no module", []byte("#!/bin/sh"), "CompileError: invalid magic"},
		{"empty", nil, "CompileError"},
		{"cut short", module{funcs: nothing}.assemble()[:20], "CompileError"},
		{"wrong types", module{funcs: []function{{body: opDrop}}}.assemble(), "CompileError"},
		{"unknown module", module{imports: []imported{{"env", "f", nil, nil}}, funcs: nothing}.assemble(), `LinkError: the module cannot be linked: it imports "f" of module "env"`},
		{"unknown function", module{imports: []imported{{"mp", "exec", nil, nil}}, funcs: nothing}.assemble(), `it imports "exec", which module "mp" does not have`},
		{"other signature", module{imports: []imported{{"mp", "input", []byte{tI64}, nil}}, funcs: nothing}.assemble(), "LinkError"},
		{"too much memory", module{funcs: nothing, pages: 2000}.assemble(), "RangeError: the module's memory begins with 131072000 bytes; the limit is 67108864"},
		{"start traps", module{funcs: []function{{export: "f"}, {body: opUnreachable}}, start: 1}.assemble(), "RuntimeError: unreachable"},
		{"_initialize traps", module{funcs: []function{{export: "_initialize", body: opUnreachable}}}.assemble(), "RuntimeError: unreachable"},
	} {
		_, err := load(t, program(c.module, nil), Own{})
		var threw *mp.GuestError
		if !errors.As(err, &threw) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
}

// Memory grows up to the limit, which can be moved while the program runs, and is
// one with what /tmp holds.
func TestMemory(t *testing.T) {
	grow := module{
		imports: []imported{{"mp", "output", []byte{tI32, tI32}, nil}},
		funcs:   []function{{export: "grow", results: []byte{tI32}, body: code(constant(16), opGrow)}}, // 1 MiB; returns the pages before
		pages:   16,
	}
	p := program(grow.assemble(), nil)
	p.Heap = 3 << 20
	r := start(t, p, Own{})
	want := []string{"the function returned 16", "the function returned 32", "the function returned -1", "the function returned -1"}
	for i, w := range want {
		if _, err := r.call("grow", ""); err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("growth %d: %v, want %s", i, err, w)
		}
	}
	r.SetHeap(4 << 20)
	if _, err := r.call("grow", ""); err == nil || !strings.Contains(err.Error(), "returned 48") {
		t.Errorf("with a higher limit: %v", err)
	}
	if r.memories.used.Load() != 4<<20 {
		t.Errorf("%d bytes are used", r.memories.used.Load())
	}
}

// A result above the limit is told with its size.
func TestTooLarge(t *testing.T) {
	m := module{imports: abi, funcs: []function{{export: "f", body: code(constant(0), constant(65536), invoke(fnOutput))}}, pages: 1}
	p := program(m.assemble(), nil)
	p.Result = 1000
	var large *engine.TooLargeError
	if _, err := start(t, p, Own{}).call("f", ""); !errors.As(err, &large) || large.Size != 65536 || large.Limit != 1000 {
		t.Errorf("got %v", err)
	}
}
