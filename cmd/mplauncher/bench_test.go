package main

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// BenchmarkStart measures from the request to the first byte that the worker
// says, on a machine at rest between the starts: p50-ms is the median.
func BenchmarkStart(b *testing.B) {
	c, pid := spawn(b)
	defer func() { c.Close(); ended(b, pid) }()
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		_, pidfd, err := c.Start(b.Context(), launch.Start{
			ID: mp.InstanceID(fmt.Sprintf("w%d", i)), Role: launch.RoleJS, Limits: mp.DefaultLimits(), Channel: w, Birth: w, Stderr: w,
		})
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		r.Read(make([]byte, 1))
		times = append(times, time.Since(begin))
		r.Close()
		pidfd.Close()
		<-c.Exits()
		time.Sleep(30 * time.Millisecond)
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[0].Microseconds())/1000, "min-ms")
}
