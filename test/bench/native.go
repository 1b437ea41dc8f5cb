package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// nativeStart measures from the wish to run a program out of a root directory
// to the first byte that it prints, through a supervisor that is up and without
// one, against containers of the same directory.
func nativeStart(ctx context.Context, d *daemon.Daemon, rounds int) ([]Row, error) {
	args := []string{"/bin/busybox", "echo", "hello"}
	others, root, cleanup, err := peers(untilOutput, busybox, args...)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	ours := func(name, socket string) arm {
		return untilOutput(name, daemon.Program("mpsupervisor"), append([]string{"--socket", socket, "run", "--native", "--root", root, "--"}, args...)...)
	}
	m, err := race(ctx, rounds, append(others, ours("daemon", d.Socket), ours("in place", "@nobody-listens-here"))...)
	if err != nil {
		return nil, err
	}
	row := func(metric, name string) Row {
		return Row{Metric: metric, N: rounds, Unit: "ms", Ours: m[name].stats()}
	}
	const (
		running = "native program, command line to first output"
		inPlace = "native program, without a daemon"
	)
	return []Row{
		row(running, "daemon").against("runc run", m["runc"].stats(), 1.0),
		row(running, "daemon").against("crun run", m["crun"].stats(), 0),
		row(running, "daemon").against("bwrap", m["bwrap"].stats(), 0),
		row(inPlace, "in place").against("runc run", m["runc"].stats(), 0),
	}, nil
}

// busybox fills a root with the host's busybox, which is a static program.
func busybox(root string) error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot copy busybox: %w", err)
	}
	return os.WriteFile(filepath.Join(root, "bin", "busybox"), b, 0o755)
}
