package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// webAssembly times loads in a sealed worker and in wazero in this process, and
// the start of a program whose module is compiled already.
func webAssembly(ctx context.Context, d *daemon.Daemon, rounds int) ([]Row, error) {
	dir, module, err := wasmProgram(ctx)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	digest, err := d.Put(ctx, dir)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	id, err := d.Run(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	rows := []Row{{Metric: "WebAssembly: first start, compiled", N: 1, Unit: "ms", Ours: summarize([]float64{millis(time.Since(began))}, 0)}}
	plain, err := newPlainWazero(ctx, module)
	if err != nil {
		return nil, err
	}
	defer plain.runtime.Close(ctx)
	for _, load := range []string{"calls", "floats", "memory", "sort"} {
		row, err := wasmLoad(ctx, d, id, plain, load, rounds)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", load, err)
		}
		rows = append(rows, row)
	}
	d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
	m, err := race(ctx, rounds, arm{"start", func(ctx context.Context) (float64, time.Duration, error) { return startAndCall(ctx, d, digest) }})
	if err != nil {
		return nil, err
	}
	return append(rows, Row{Metric: "WebAssembly: start from the cache to first reply", N: rounds, Unit: "ms", Ours: m["start"].stats()}), nil
}

// wasmProgram builds the loads into a package's directory, which the caller
// removes.
func wasmProgram(ctx context.Context) (dir string, module []byte, err error) {
	if dir, err = os.MkdirTemp("", "mpsupervisor-bench-"); err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	file := filepath.Join(dir, "app.wasm")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./test/bench/wasmload")
	build.Dir = daemon.Root()
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, nil, fmt.Errorf("%w: %s", err, out)
	}
	const manifest = `{"app_id": "com.example.bench", "name": "Bench", "icons": [{"src": "icon.svg", "label": "x"}],
		"version": {"name": "1.0.0", "code": 1}, "platform_version": {"min_code": 1}, "pages": ["app"], "mpsupervisor": {"runtime": "wasm"}}`
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644),
		os.WriteFile(filepath.Join(dir, "icon.svg"), []byte("<svg/>"), 0o644)); err != nil {
		return dir, nil, err
	}
	module, err = os.ReadFile(file)
	return dir, module, err
}

// wasmLoad runs a load by turns in the worker and here.
func wasmLoad(ctx context.Context, d *daemon.Daemon, id string, plain *plainWazero, load string, rounds int) (Row, error) {
	input := fmt.Sprintf("%q", load)
	var sums [2]string
	timed := func(which int, measure func() ([]byte, error)) (float64, time.Duration, error) {
		var r run
		b, err := measure()
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil || len(r.Took) != 1 {
			return 0, 0, fmt.Errorf("%s: %w", b, err)
		}
		sums[which] = string(r.Result)
		return r.Took[0], 0, nil
	}
	m, err := race(ctx, rounds,
		arm{"ours", func(ctx context.Context) (float64, time.Duration, error) {
			return timed(0, func() ([]byte, error) {
				res, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "measure", InputJson: input})
				return []byte(res.GetOutputJson()), err
			})
		}},
		arm{"theirs", func(ctx context.Context) (float64, time.Duration, error) {
			return timed(1, func() ([]byte, error) { return plain.call(ctx, "measure", input) })
		}})
	if err != nil {
		return Row{}, err
	}
	if sums[0] != sums[1] {
		return Row{}, fmt.Errorf("checksums differ: %v", sums)
	}
	row := Row{Metric: "WebAssembly: " + load, N: rounds, Unit: "ms", Ours: m["ours"].stats()}
	return row.against("wazero here", m["theirs"].stats(), 1.1), nil
}

// plainWazero is the module in wazero as its documentation uses it.
type plainWazero struct {
	runtime wazero.Runtime
	module  api.Module
	input   []byte
	output  []byte
}

func newPlainWazero(ctx context.Context, module []byte) (*plainWazero, error) {
	p := &plainWazero{runtime: wazero.NewRuntime(ctx)}
	if _, err := wasi.Instantiate(ctx, p.runtime); err != nil {
		return nil, err
	}
	_, err := p.runtime.NewHostModuleBuilder("mp").
		NewFunctionBuilder().WithFunc(func() uint32 { return uint32(len(p.input)) }).Export("input_size").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, at uint32) { m.Memory().Write(at, p.input) }).Export("input").
		NewFunctionBuilder().WithFunc(func(_ context.Context, m api.Module, at, n uint32) {
		b, _ := m.Memory().Read(at, n)
		p.output = append([]byte(nil), b...)
	}).Export("output").Instantiate(ctx)
	if err != nil {
		return nil, err
	}
	p.module, err = p.runtime.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().
		WithStartFunctions("_initialize").WithSysNanotime().WithSysWalltime())
	return p, err
}

func (p *plainWazero) call(ctx context.Context, name, input string) ([]byte, error) {
	p.input = []byte(input)
	_, err := p.module.ExportedFunction(name).Call(ctx)
	return p.output, err
}
