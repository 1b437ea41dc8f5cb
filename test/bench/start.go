package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// coldStart measures from the wish to run a program to its first reply, with a
// supervisor that is up and no worker ready, against containers of an empty
// static program, from the wish to their end.
func coldStart(ctx context.Context, d *daemon.Daemon, rounds int) ([]Row, error) {
	others, _, cleanup, err := peers(command, emptyProgram, "/empty")
	if err != nil {
		return nil, err
	}
	defer cleanup()
	hello, err := helloProgram()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(hello)
	digest, err := d.Put(ctx, hello)
	if err != nil {
		return nil, err
	}
	arms := append([]arm{
		{"api", func(ctx context.Context) (float64, time.Duration, error) { return startAndCall(ctx, d, digest) }},
		untilOutput("cli", daemon.Program("mpsupervisor"), "--socket", d.Socket, "run", hello, "--call", "hello"),
		untilOutput("in place", daemon.Program("mpsupervisor"), "--socket", "@nobody-listens-here", "run", hello, "--call", "hello"),
	}, others...)
	m, err := race(ctx, rounds, arms...)
	if err != nil {
		return nil, err
	}
	row := func(metric, name string) Row {
		return Row{Metric: metric, N: rounds, Unit: "ms", Ours: m[name].stats()}
	}
	const (
		api     = "cold start to first reply, control API"
		cli     = "cold start to first reply, from the command line"
		inPlace = "cold start to first reply, without a daemon"
	)
	return []Row{
		row(api, "api").against("runc run", m["runc"].stats(), 1.0),
		row(api, "api").against("crun run", m["crun"].stats(), 0),
		row(api, "api").against("bwrap", m["bwrap"].stats(), 0),
		row(cli, "cli").against("runc run", m["runc"].stats(), 1.0),
		row(inPlace, "in place").against("runc run", m["runc"].stats(), 0),
	}, nil
}

// startAndCall is one cold start. Taking the program down again is not timed.
func startAndCall(ctx context.Context, d *daemon.Daemon, digest string) (float64, time.Duration, error) {
	before := processorTime(d)
	begin := time.Now()
	res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest})
	if err != nil {
		return 0, 0, err
	}
	call, err := d.Client.Call(ctx, &controlpb.CallRequest{Id: res.Id, Name: "hello"})
	took := time.Since(begin)
	if err != nil {
		return 0, 0, err
	}
	if got := call.GetOutputJson(); got != `"hello"` {
		return 0, 0, fmt.Errorf("the program answered %q", got)
	}
	if _, err := d.Client.Kill(ctx, &controlpb.KillRequest{Id: res.Id}); err != nil {
		return 0, 0, err
	}
	return millis(took), processorTime(d) - before, nil
}

// command is an arm that runs a program to its end.
func command(name, path string, args ...string) arm {
	return arm{name, func(ctx context.Context) (float64, time.Duration, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		begin := time.Now()
		out, err := cmd.CombinedOutput()
		took := time.Since(begin)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w: %s", cmd, err, out)
		}
		return millis(took), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}}
}

// untilOutput is an arm that runs a program until the first byte that it
// prints. What it does after that is not timed.
func untilOutput(name, path string, args ...string) arm {
	return arm{name, func(ctx context.Context) (float64, time.Duration, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return 0, 0, err
		}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return 0, 0, err
		}
		_, silent := io.ReadFull(stdout, make([]byte, 1))
		took := time.Since(begin)
		io.Copy(io.Discard, stdout)
		if err := errors.Join(cmd.Wait(), silent); err != nil {
			return 0, 0, fmt.Errorf("%s: %w: %s", cmd, err, &stderr)
		}
		return millis(took), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}}
}

// helloProgram makes the smallest mini-program in a directory of its own.
func helloProgram() (string, error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-bench-")
	if err != nil {
		return "", err
	}
	return dir, writeAll(dir, map[string]string{
		"manifest.json": `{"app_id": "com.example.hello", "name": "Hello", "icons": [{"src": "icon.svg"}], "pages": ["pages/index"],
			"platform_version": {"min_code": 1, "target_code": 1}, "version": {"name": "1.0.0", "code": 1},
			"mpsupervisor": {"runtime": "js", "entry": "app.js"}}`,
		"app.js":   `export function hello() { return "hello" }`,
		"icon.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
	})
}

func writeAll(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
