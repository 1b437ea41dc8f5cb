package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// native is the command of a QuickJS built to machine code, if this machine
// has one; Debian 12 does not package it.
const native = "qjs"

// run is what a load gives: the milliseconds of each time, and its checksum.
type run struct {
	Took   []float64       `json:"took"`
	Result json.RawMessage `json:"result"`
}

// workloads times six loads in a sealed worker and, if it is at hand, in a
// native QuickJS outside. Without one the figures are for information.
func workloads(ctx context.Context, d *daemon.Daemon, times int) ([]Row, error) {
	dir := filepath.Join(daemon.Root(), "test", "bench", "workloads")
	id, err := d.Run(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	defer d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
	var rows []Row
	for _, load := range []string{"calls", "floats", "objects", "strings", "json", "bytes"} {
		row, err := workload(ctx, d, id, dir, load, times)
		if err != nil {
			return nil, fmt.Errorf("workload %s: %w", load, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func workload(ctx context.Context, d *daemon.Daemon, id, dir, load string, times int) (Row, error) {
	ours, err := inWorker(ctx, d, id, load, times)
	if err != nil {
		return Row{}, err
	}
	row := Row{Metric: "JavaScript: " + load, N: times, Unit: "ms", Ours: summarize(ours.Took, 0)}
	if _, err := exec.LookPath(native); err != nil {
		return row, nil
	}
	theirs, err := inNative(ctx, dir, load, times)
	if err != nil {
		return Row{}, err
	}
	if string(ours.Result) != string(theirs.Result) {
		return Row{}, fmt.Errorf("checksums differ: %s and %s", ours.Result, theirs.Result)
	}
	return row.against("native QuickJS", summarize(theirs.Took, 0), 2.0), nil
}

func inWorker(ctx context.Context, d *daemon.Daemon, id, load string, times int) (r run, err error) {
	input := fmt.Sprintf(`{"load": %q, "times": %d}`, load, times)
	res, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "measure", InputJson: input})
	if err != nil {
		return r, err
	}
	if t := res.GetThrown(); t != nil {
		return r, errors.New(t.Message)
	}
	return r, json.Unmarshal([]byte(res.GetOutputJson()), &r)
}

func inNative(ctx context.Context, dir, load string, times int) (r run, err error) {
	script := fmt.Sprintf(`import { measure } from %q; console.log(JSON.stringify(measure({ load: %q, times: %d })))`,
		filepath.Join(dir, "app.js"), load, times)
	out, err := exec.CommandContext(ctx, native, "--module", "-e", script).Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}
