//go:build wasip1

// Wasm is a program of WebAssembly that behaves badly on request. Built as a
// command it ends with a status of its own; as a reactor it offers functions.
package main

import (
	"fmt"
	"os"
	"unsafe"
)

//go:wasmimport mp output
func output(p unsafe.Pointer, n uint32)

func answer(text string) {
	b := []byte(text)
	output(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
}

var count int

//go:wasmexport count
func countUp() {
	count++
	answer(fmt.Sprint(count))
}

//go:wasmexport spin
func spin() {
	for {
		count++
	}
}

//go:wasmexport eat
func eat() {
	var all [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		all = append(all, b)
		count += len(all)
	}
}

//go:wasmexport quit
func quit() { os.Exit(9) }

func main() {
	fmt.Println("arguments", os.Args[1:])
	if len(os.Args) > 1 && os.Args[1] == "spin" {
		spin()
	}
	os.Exit(7)
}
