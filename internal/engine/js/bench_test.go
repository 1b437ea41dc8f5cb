package js

import "testing"

// BenchmarkLoop is a million turns of an empty loop: what the looks at the
// clock cost most.
func BenchmarkLoop(b *testing.B) {
	e := mustStart(b, `export const f = () => { for (let i = 0; i < 1e6; i++); }`)
	for b.Loop() {
		e.must("f", "")
	}
}

func BenchmarkCalls(b *testing.B) {
	e := mustStart(b, `const g = (x) => x + 1; export const f = () => { let n = 0; for (let i = 0; i < 1e5; i++) n = g(n); return n; }`)
	for b.Loop() {
		e.must("f", "")
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	e := mustStart(b, `export const f = (x) => x`)
	for b.Loop() {
		e.must("f", `{"a":[1,2,3]}`)
	}
}
