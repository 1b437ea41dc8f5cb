package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// idleMemory measures what one more idle program costs, everything counted:
// how much MemAvailable falls between two numbers of programs, over their
// difference. Each answers at the end, so none is counted that has died.
func idleMemory(ctx context.Context, d *daemon.Daemon, steps []int) ([]Row, error) {
	hello, err := helloProgram()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(hello)
	digest, err := d.Put(ctx, hello)
	if err != nil {
		return nil, err
	}
	var ids []string
	defer func() {
		for _, id := range ids {
			d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
		}
	}()
	// The first start pays for what all share; it is not part of the slope.
	before, from := 0.0, 0
	var rows []Row
	for _, step := range append([]int{0}, steps...) {
		for len(ids) < step+1 {
			res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest})
			if err != nil {
				return nil, err
			}
			ids = append(ids, res.Id)
		}
		available, err := settledMemory(ctx)
		if err != nil {
			return nil, err
		}
		if step > 0 {
			slope := (before - available) / float64(step-from)
			rows = append(rows, Row{Metric: fmt.Sprintf("memory of one more idle program, %d to %d", from, step), N: step - from, Unit: "MiB",
				Ours: Stats{Min: slope, P50: slope, P90: slope}}.within(3))
		}
		before, from = available, step
	}
	for _, id := range ids {
		if _, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "hello"}); err != nil {
			return nil, fmt.Errorf("program %s does not answer at the end: %w", id, err)
		}
	}
	return rows, nil
}

// settledMemory is the median of MemAvailable over two seconds, after one of
// rest, in MiB: the kernel returns per-processor pages lazily.
func settledMemory(ctx context.Context) (float64, error) {
	var samples []float64
	for i := range 30 {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		mib, err := memAvailable()
		if err != nil {
			return 0, err
		}
		if i >= 10 {
			samples = append(samples, mib)
		}
	}
	return summarize(samples, 0).P50, nil
}

func memAvailable() (float64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "MemAvailable:"); ok {
			var kib float64
			_, err := fmt.Sscan(rest, &kib)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no MemAvailable")
}
