package seccomp

import (
	"fmt"
	"syscall"
)

// Role names a table.
type Role string

// The roles.
const (
	// RoleJS is a worker with the JavaScript engine: a static pure-Go process that
	// talks over one socket, reads one package and computes.
	RoleJS Role = "js"
	// RoleNative is a program that is executed out of a root directory of its own,
	// and the worker above it until it has forked the program.
	RoleNative Role = "native"
	// RoleInit is that worker afterwards: process 1, which passes on bytes, reaps
	// and signals. Its filter comes on top of RoleNative's.
	RoleInit Role = "init"
	// RoleWasm is a worker with the WebAssembly engine, until its module's machine
	// code is there.
	RoleWasm Role = "wasm"
	// RoleWasmRun is that worker afterwards, while the module runs. Its filter comes
	// on top of RoleWasm's.
	RoleWasmRun Role = "wasm-run"
	// RoleWasmCompile is a worker that makes machine code of a module and runs
	// nothing of it.
	RoleWasmCompile Role = "wasm-compile"
)

// Roles lists the roles that have a table.
func Roles() []Role {
	return []Role{RoleJS, RoleNative, RoleInit, RoleWasm, RoleWasmRun, RoleWasmCompile}
}

// Table gives the rows of a role, in a slice of the caller's own.
func Table(role Role) ([]Rule, error) {
	switch role {
	case RoleJS:
		return js(), nil
	case RoleNative:
		return native(), nil
	case RoleInit:
		return pid1(), nil
	case RoleWasm:
		return wasm(), nil
	case RoleWasmRun:
		return wasmRun(), nil
	case RoleWasmCompile:
		return wasmCompile(), nil
	}
	return nil, fmt.Errorf("cannot find seccomp table: no role %q", string(role))
}

// Default is what happens to a system call that no row of a role names. Our own
// processes make none of those: one that does has been taken over, and is
// ended. A program is told that the kernel does not have the call, so that one
// made for a newer kernel falls back to what an older one has.
func Default(role Role) Action {
	if role == RoleNative {
		return Errno(syscall.ENOSYS)
	}
	return KillProcess
}

// Otherwise is what happens to a system call that a row names, with arguments
// that no row takes.
func Otherwise(role Role) Action {
	if role == RoleNative {
		return Errno(syscall.EPERM)
	}
	return KillProcess
}

// Logs reports whether the kernel is to tell of what a role is refused with an
// error, but for its quiet rows. It tells of a process that it ends in any case.
// The errors of the other roles are all answers to what Go's runtime asks at
// every start, by which nobody learns anything.
func Logs(role Role) bool { return role == RoleNative }
