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

// levels are the numbers of programs at which the machine's memory is read.
var levels = []int{1, 10, 50, 60}

// idleMemory measures what one more idle program costs at 1, 10 and 50 of them,
// everything counted: how much MemAvailable falls on the way to the next level,
// over the number of programs in between. The first program pays for what all
// share and is not part of it.
func idleMemory(ctx context.Context, d *daemon.Daemon, climbs int) ([]Row, error) {
	hello, err := helloProgram()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(hello)
	digest, err := d.Put(ctx, hello)
	if err != nil {
		return nil, err
	}
	slopes := make([][]float64, len(levels)-1)
	for range climbs {
		memory, err := climb(ctx, d, digest)
		if err != nil {
			return nil, err
		}
		for i := range slopes {
			slopes[i] = append(slopes[i], (memory[i]-memory[i+1])/float64(levels[i+1]-levels[i]))
		}
	}
	var rows []Row
	for i, s := range slopes {
		rows = append(rows, Row{Metric: fmt.Sprintf("memory of one more idle program, at %d", levels[i]),
			N: climbs, Unit: "MiB", Ours: summarize(s, 0)}.within(3))
	}
	return rows, nil
}

// climb starts programs level by level, and gives MemAvailable at each. All
// must answer at the end, so none is counted that has died.
func climb(ctx context.Context, d *daemon.Daemon, digest string) (memory []float64, err error) {
	var ids []string
	defer func() { endMany(ctx, d, ids) }()
	for _, level := range levels {
		more, err := startMany(ctx, d, digest, level-len(ids))
		ids = append(ids, more...)
		if err != nil {
			return nil, err
		}
		mib, err := settledMemory(ctx)
		if err != nil {
			return nil, err
		}
		memory = append(memory, mib)
	}
	for _, id := range ids {
		if _, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "hello"}); err != nil {
			return nil, fmt.Errorf("program %s does not answer at the end: %w", id, err)
		}
	}
	return memory, nil
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

// settledMemory is the median of MemAvailable over a second, after two of rest,
// in MiB: the kernel returns what has ended lazily.
func settledMemory(ctx context.Context) (float64, error) {
	var samples []float64
	for i := range 60 {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		mib, err := memAvailable()
		if err != nil {
			return 0, err
		}
		if i >= 40 {
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
