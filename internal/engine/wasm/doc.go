// Package wasm runs a program of WebAssembly, by wazero: WASI preview 1 and the
// import module "mp", as docs/wasm.md has them.
//
// Machine code is made of the module before its first instruction, and none
// after: Prepare compiles it, or takes the code that Compile made in another
// process, and Load begins to run. In between its caller can forbid this process
// ever to make memory executable again.
//
// The guest runs on a goroutine of its own and cannot be interrupted. When its
// time is over, Load and Run return and leave it running: the process must end.
// Do not rely on that alone. Go's garbage collector waits for the guest, and
// everything else in the process then waits for the collector: whoever must be
// certain ends the process from outside.
//
// Code that was compiled elsewhere is not checked: it is the program's own, and
// can do in this process what the program could do with machine code of its
// choice.
package wasm
