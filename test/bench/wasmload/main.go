//go:build wasip1

// Wasmload computes for the benchmark, in WebAssembly: the same module runs in a
// sealed worker and in wazero in an ordinary process.
package main

import (
	"encoding/json"
	"sort"
	"time"
	"unsafe"
)

//go:wasmimport mp input_size
func inputSize() uint32

//go:wasmimport mp input
func input(p unsafe.Pointer)

//go:wasmimport mp output
func output(p unsafe.Pointer, n uint32)

func at(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// loads each give a checksum.
var loads = map[string]func() uint64{
	"calls":  func() uint64 { return fibonacci(30) },
	"floats": floats,
	"memory": memory,
	"sort":   sorting,
}

func fibonacci(n uint64) uint64 {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

func floats() uint64 {
	inside := 0
	for y := range 200 {
		for x := range 200 {
			a, b, n := 0.0, 0.0, 0
			for ; a*a+b*b < 4 && n < 100; n++ {
				a, b = a*a-b*b+float64(x)/100-1.5, 2*a*b+float64(y)/100-1
			}
			inside += n
		}
	}
	return uint64(inside)
}

// memory grows and is walked.
func memory() (sum uint64) {
	b := make([]byte, 8<<20)
	for round := range 4 {
		for i := range b {
			b[i] += byte(i + round)
		}
	}
	for _, c := range b {
		sum += uint64(c)
	}
	return sum
}

func sorting() uint64 {
	n := make([]int, 100_000)
	x := uint32(1)
	for i := range n {
		x = x*1664525 + 1013904223
		n[i] = int(x >> 8)
	}
	sort.Ints(n)
	return uint64(n[len(n)/2])
}

// measure runs one load and tells how long it took, in milliseconds.
//
//go:wasmexport measure
func measure() {
	b := make([]byte, inputSize()+1)
	input(at(b))
	var load string
	json.Unmarshal(b[:len(b)-1], &load)
	began := time.Now()
	sum := loads[load]()
	took := float64(time.Since(began)) / float64(time.Millisecond)
	answer, _ := json.Marshal(map[string]any{"took": []float64{took}, "result": sum})
	output(at(answer), uint32(len(answer)))
}

//go:wasmexport hello
func hello() {
	answer := []byte(`"hello"`)
	output(at(answer), uint32(len(answer)))
}

func main() {}
