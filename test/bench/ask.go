package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/ipc/ipctest"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// hostCalls compares a request that JavaScript makes to its host, and its answer,
// with the bare round trip over an encrypted channel.
func hostCalls(ctx context.Context, d *daemon.Daemon, rounds int) ([]Row, error) {
	id, err := d.Run(ctx, filepath.Join(daemon.Root(), "test", "bench", "asks"), nil)
	if err != nil {
		return nil, err
	}
	defer d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
	c, wait, err := echoProcess(ctx, ipctest.Encrypted)
	if err != nil {
		return nil, err
	}
	defer wait()
	defer c.Close()
	body := make([]byte, 128)
	m, err := race(ctx, rounds,
		arm{"request", func(ctx context.Context) (float64, time.Duration, error) { return requests(ctx, d, id) }},
		arm{"round trip", func(ctx context.Context) (float64, time.Duration, error) { return batch(ctx, c, body, inBatch) }})
	if err != nil {
		return nil, err
	}
	row := Row{Metric: "host call from JavaScript and back", N: rounds, Unit: "µs", Ours: m["request"].stats()}
	return []Row{row.against("encrypted round trip, 128 bytes", m["round trip"].stats(), 1.5)}, nil
}

// inBatch is how many are made one after the other: enough that the way to the
// first, which is through the supervisor's own API, does not count.
const inBatch = 64

// requests is the mean of a few, as the program sees them.
func requests(ctx context.Context, d *daemon.Daemon, id string) (mean float64, _ time.Duration, err error) {
	res, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "mean", InputJson: fmt.Sprintf(`{"requests": %d}`, inBatch)})
	if err != nil {
		return 0, 0, err
	}
	if t := res.GetThrown(); t != nil {
		return 0, 0, fmt.Errorf("%s: %s", t.GetName(), t.GetMessage())
	}
	return mean, 0, json.Unmarshal([]byte(res.GetOutputJson()), &mean)
}
