package js

import (
	"context"
	"strconv"
	"testing"
)

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

// instant answers every request at once with its params, from elsewhere.
type instant struct{ logs }

func (*instant) Ask(_ context.Context, _ string, params []byte, done func([]byte, error)) {
	go done(params, nil)
}

// BenchmarkRequest is a request to a host that is no distance away.
func BenchmarkRequest(b *testing.B) {
	e, err := New(&instant{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	h := &bench{t: b, Engine: e, logs: &logs{}, run: make(chan error, 1)}
	if err := h.serve(program(`export const f = async (n) => { for (let i = 0; i < n; i++) await mp.request("echo", i); };`)); err != nil {
		b.Fatal(err)
	}
	h.must("f", strconv.Itoa(b.N))
	h.cancel()
	<-h.run
}
