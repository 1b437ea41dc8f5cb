//go:build wasip1

// Reactor offers functions to its host, by the import module mp.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

//go:wasmimport mp input_size
func inputSize() uint32

//go:wasmimport mp input
func input(p unsafe.Pointer)

//go:wasmimport mp output
func output(p unsafe.Pointer, n uint32)

//go:wasmimport mp error
func fail(p unsafe.Pointer, n uint32)

//go:wasmimport mp request
func request(m unsafe.Pointer, mn uint32, p unsafe.Pointer, pn uint32) int64

//go:wasmimport mp answer
func answer(p unsafe.Pointer)

//go:wasmimport mp log
func log(level uint32, p unsafe.Pointer, n uint32)

func at(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func read() []byte {
	b := make([]byte, inputSize()+1)
	input(at(b))
	return b[:len(b)-1]
}

func write(v any) {
	b, _ := json.Marshal(v)
	output(at(b), uint32(len(b)))
}

var count int

//go:wasmexport count
func countUp() {
	count++
	write(count)
}

//go:wasmexport echo
func echo() { b := read(); output(at(b), uint32(len(b))) }

//go:wasmexport upper
func upper() uint32 {
	var v struct{ Text string }
	if err := json.Unmarshal(read(), &v); err != nil {
		b := []byte(err.Error())
		fail(at(b), uint32(len(b)))
		return 1
	}
	write(strings.ToUpper(v.Text))
	return 0
}

//go:wasmexport ask
func ask() {
	var v struct {
		Method string
		Params json.RawMessage
	}
	json.Unmarshal(read(), &v)
	m := []byte(v.Method)
	n := request(at(m), uint32(len(m)), at(v.Params), uint32(len(v.Params)))
	size := n
	if n < 0 {
		size = -n
	}
	b := make([]byte, size+1)
	answer(at(b))
	write(map[string]any{"ok": n >= 0, "answer": json.RawMessage(b[:size])})
}

//go:wasmexport say
func say() {
	b := []byte("hello ✓")
	log(2, at(b), uint32(len(b)))
	fmt.Println("on stdout")
	fmt.Fprint(os.Stderr, "no newline")
}

//go:wasmexport panics
func panics() { panic("deliberate") }

//go:wasmexport mp_event
func event() { b := read(); output(at(b), uint32(len(b))) }

func main() {}
