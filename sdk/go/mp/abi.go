//go:build wasip1

package mp

import "unsafe"

// The host's side, module "mp"; docs/wasm.md has its rules. Pointers are
// offsets in the program's memory, and are looked at during the call alone.

//go:wasmimport mp input_size
func inputSize() int32

//go:wasmimport mp input
func input(p unsafe.Pointer)

//go:wasmimport mp output
func output(p unsafe.Pointer, n int32)

//go:wasmimport mp error
func fail(p unsafe.Pointer, n int32)

//go:wasmimport mp request
func request(method unsafe.Pointer, methodSize int32, params unsafe.Pointer, paramsSize int32) int64

//go:wasmimport mp answer
func answer(p unsafe.Pointer)

//go:wasmimport mp log
func log(level int32, p unsafe.Pointer, n int32)

func at(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func atText(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
