package seccomp

import (
	"slices"
	"syscall"
)

// Numbers of prctl(2) and seccomp(2) (linux/prctl.h, linux/seccomp.h).
const (
	prSetMDWE     = 65
	refuseExec    = 1 // PR_MDWE_REFUSE_EXEC_GAIN
	setModeFilter = 1
	filterTSync   = 1
	actionAvail   = 2
)

var readExec = is(2, protRead|protExec, "prot is PROT_READ, PROT_EXEC")

// wasm is what a worker for a module of WebAssembly calls until the module's
// machine code is there: what one for JavaScript calls, the one step by which
// written memory becomes executable, and what takes that step away again. No
// instruction of the module has run by then. RoleWasmRun's filter comes on top.
func wasm() []Rule {
	return append(js(),
		allow("mprotect", "machine code that was made of the module, or of what calls it, is not written any more and may be executed", readExec),
		allow("prctl", "from then on no memory becomes executable", is32(0, prSetMDWE, "option is PR_SET_MDWE"), is(1, refuseExec, "bits are PR_MDWE_REFUSE_EXEC_GAIN")),
		allow("seccomp", "the filter of wasm-run, on all threads", is32(0, setModeFilter, "operation is SECCOMP_SET_MODE_FILTER"), is32(1, filterTSync, "flags are SECCOMP_FILTER_FLAG_TSYNC")),
		allow("seccomp", "asks whether the kernel can kill a process", is32(0, actionAvail, "operation is SECCOMP_GET_ACTION_AVAIL"), is32(1, 0, "flags are 0")),
	)
}

// wasmRun is what such a worker calls while the module runs: exactly what one for
// JavaScript does. One answer differs, by which the worker knows that the filter
// is on.
func wasmRun() []Rule {
	rules := js()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Syscall == "clone3" })
	rules[i] = answer("clone3", syscall.EPERM, "nobody asks but the worker, to prove that this filter is on")
	return rules
}

// wasmCompile is what a worker calls that compiles a module for others: what one
// for JavaScript does. It executes nothing of what it makes, and so is told that
// the memory may be executed, and it may not.
func wasmCompile() []Rule {
	return append(js(), answer("mprotect", 0, "the compiler ends with this step; nothing is done, and it is told that it was", readExec))
}
