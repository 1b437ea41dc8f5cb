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

// idleMemory measures what one more idle program costs, everything counted: how
// much MemAvailable falls from one program to 1, 10 and 50 more, over their
// number. The first pays for what all share and is not part of it. Each step is
// repeated, since whatever else the machine does is counted, too: the fewer the
// programs, the more often.
func idleMemory(ctx context.Context, d *daemon.Daemon) ([]Row, error) {
	hello, err := helloProgram()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(hello)
	digest, err := d.Put(ctx, hello)
	if err != nil {
		return nil, err
	}
	first, err := startMany(ctx, d, digest, 1)
	if err != nil {
		return nil, err
	}
	defer endMany(ctx, d, first)
	var rows []Row
	for _, step := range []struct{ programs, times int }{{1, 15}, {10, 5}, {50, 3}} {
		var samples []float64
		for range step.times {
			slope, err := stair(ctx, d, digest, step.programs)
			if err != nil {
				return nil, err
			}
			samples = append(samples, slope)
		}
		rows = append(rows, Row{Metric: fmt.Sprintf("memory of one more idle program, of %d", step.programs),
			N: step.times, Unit: "MiB", Ours: summarize(samples, 0)}.within(3))
	}
	return rows, nil
}

// stair starts n programs, and gives the memory that each took. Each answers
// at the end, so none is counted that has died.
func stair(ctx context.Context, d *daemon.Daemon, digest string, n int) (float64, error) {
	before, err := settledMemory(ctx)
	if err != nil {
		return 0, err
	}
	ids, err := startMany(ctx, d, digest, n)
	defer endMany(ctx, d, ids)
	if err != nil {
		return 0, err
	}
	after, err := settledMemory(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "hello"}); err != nil {
			return 0, fmt.Errorf("program %s does not answer at the end: %w", id, err)
		}
	}
	return (before - after) / float64(n), nil
}

func startMany(ctx context.Context, d *daemon.Daemon, digest string, n int) (ids []string, err error) {
	for range n {
		res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest})
		if err != nil {
			return ids, err
		}
		ids = append(ids, res.Id)
	}
	return ids, nil
}

func endMany(ctx context.Context, d *daemon.Daemon, ids []string) {
	for _, id := range ids {
		d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
	}
}

// settledMemory is the median of MemAvailable over a second, after half a
// second of rest, in MiB: the kernel returns per-processor pages lazily.
func settledMemory(ctx context.Context) (float64, error) {
	var samples []float64
	for i := range 30 {
		select {
		case <-time.After(50 * time.Millisecond):
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
