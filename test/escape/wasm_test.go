package escape

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// These tests are about a worker that loads machine code and is sealed for good
// when it has, and about one that makes such code.

// wasmLocks are tried by an attacker in the place of a module that runs.
var wasmLocks = []row{
	{"wasm: make written memory executable", lock.MDWE,
		simple(attack.TurnExec), filter, "SIGSYS", "EACCES", "done", string(lock.MDWE), nil},
	{"wasm: map memory to write and execute", lock.MDWE,
		simple(attack.MapExec), filter, "SIGSYS", "EACCES", "done", string(lock.MDWE), nil},
	{"wasm: make written memory executable, without MDWE", lock.Seccomp,
		simple(attack.TurnExec), []lock.Name{lock.MDWE}, "SIGSYS", "SIGSYS", "done", "", nil},
	{"wasm: map memory to write and execute, without MDWE", lock.Seccomp,
		simple(attack.MapExec), []lock.Name{lock.MDWE}, "SIGSYS", "SIGSYS", "done", "", nil},
	{"wasm: open the root directory", lock.Landlock, opening("/", unix.O_RDONLY), filter, "SIGSYS", "EACCES", "done", "", nil},
	{"wasm: make a Unix socket", lock.Seccomp,
		rawCall(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM), nil, "SIGSYS", "SIGSYS", "done", "", nil},
}

func TestWasmLocks(t *testing.T) {
	for _, r := range wasmLocks {
		r.attack.Code = attack.Loaded
		t.Run(string(r.lock)+"/"+r.what, func(t *testing.T) { r.checkUnder(t, seccomp.RoleWasmRun, isolated) })
	}
}

// While the code is loaded, one way to executable memory is open, and no other.
func TestWasmLoading(t *testing.T) {
	s := newSessionOf(t, seccomp.RoleWasmRun, func(t *testing.T, sp spec) { isolated(t, sp, nil) })
	for name, want := range map[string]string{attack.TurnExec: "done", attack.MapExec: "SIGSYS", attack.BindTCP: "SIGSYS"} {
		if got := s.try(attack.Request{Attack: name, Code: attack.Loading}); got.String() != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

// A worker that compiles is told that memory is executable, and it is not: what
// is executed there is a fault, at which a Go program exits.
func TestWasmCompiling(t *testing.T) {
	s := newSessionOf(t, seccomp.RoleWasmCompile, func(t *testing.T, sp spec) { isolated(t, sp, nil) })
	if got := s.try(simple(attack.TurnExec)); got.String() != "done" {
		t.Errorf("making memory executable: %v, want what looks as if it was done", got)
	}
	if got := s.try(simple(attack.RunWritten)); got.String() != "exited" {
		t.Errorf("executing it: %v, want its end", got)
	}
	if got := s.try(simple(attack.RunWritten), lock.MDWE); got.String() != "exited" {
		t.Errorf("executing it without MDWE: %v, want its end", got)
	}
	if got := s.try(simple(attack.RunWritten), lock.Seccomp, lock.MDWE); got.String() != "done" {
		t.Errorf("without the locks: %v, want done", got)
	}
}

func TestWasmSystemCalls(t *testing.T) {
	for _, role := range []seccomp.Role{seccomp.RoleWasmRun, seccomp.RoleWasmCompile} {
		s := newSessionOf(t, role, func(t *testing.T, sp spec) { isolated(t, sp, nil) })
		t.Run(string(role)+"/number", func(t *testing.T) { everyNumber(t, s, role) })
		t.Run(string(role)+"/condition", func(t *testing.T) { everyCondition(t, s, role) })
	}
}
