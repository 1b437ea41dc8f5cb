package isolate

import (
	"testing"
	"time"
)

// BenchmarkStartNative is the time from a start to the first output of a native
// program, process 1 with all its locks included: to be compared with
// BenchmarkStart, where process 1 itself is the program and has no locks of its
// own.
func BenchmarkStartNative(b *testing.B) {
	l, dir := openNative(b), root(b)
	s := nativeSpec(b, dir, nil, "/bin/echo", "ready")
	for b.Loop() {
		w, r := begin(b, l, s)
		if line, err := r.ReadString('\n'); line != "ready\n" {
			b.Fatalf("%q %v", line, err)
		}
		b.StopTimer()
		finish(b, w)
		time.Sleep(30 * time.Millisecond) // as a user's starts come: back to back is faster
		b.StartTimer()
	}
}
