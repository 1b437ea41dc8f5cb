package cgroup

import "testing"

func BenchmarkSample(b *testing.B) {
	g := create(b, place(b), "a", Limits{Memory: 64 << 20, Pids: 32, CPU: 1})
	shell(b, g, "sleep 60")
	for b.Loop() {
		if _, err := g.Sample(); err != nil {
			b.Fatal(err)
		}
	}
}
