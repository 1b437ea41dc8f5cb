package wasm

import (
	"context"
	"testing"
)

// BenchmarkPrepare is what a worker does with a module of Go's, whose machine
// code is there: most of it is validation, which wazero does in any case.
func BenchmarkPrepare(b *testing.B) {
	p := program(reactor(b), nil)
	code := precompiled(p)
	for b.Loop() {
		e := New(&logs{})
		if err := e.Prepare(context.Background(), p, Own{Code: code}); err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}

// BenchmarkCall is a call and back, without a channel.
func BenchmarkCall(b *testing.B) {
	r := start(b, program(module{funcs: []function{{export: "f"}}}.assemble(), nil), Own{})
	for b.Loop() {
		if _, err := r.call("f", ""); err != nil {
			b.Fatal(err)
		}
	}
}
