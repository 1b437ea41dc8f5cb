package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// peers gives one arm for each peer that runs args out of the root directory
// that fill fills, in a container with all namespaces. What it prints is not
// looked at; its time ends as by has it: at its end, or at its first byte.
func peers(by timer, fill func(root string) error, args ...string) (arms []arm, root string, cleanup func(), err error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-peers-")
	if err != nil {
		return nil, "", nil, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	bundle := filepath.Join(dir, "bundle")
	root = filepath.Join(bundle, "rootfs")
	if err := fillBundle(bundle, root, fill, args); err != nil {
		cleanup()
		return nil, "", nil, err
	}
	bwrap := []string{"--unshare-all", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev", "--cap-drop", "ALL", "--die-with-parent"}
	return []arm{
		by("bwrap", "bwrap", append(bwrap, args...)...),
		container("runc", by, "--root", filepath.Join(dir, "runc"), "run", "--bundle", bundle),
		container("crun", by, "--root", filepath.Join(dir, "crun"), "run", "--bundle", bundle),
	}, root, cleanup, nil
}

// timer makes an arm of a command line.
type timer func(name, path string, args ...string) arm

var containers atomic.Int64

// container is an arm that runs an OCI runtime with a fresh container name.
// crun refuses a host that mounts a unified hierarchy beside the old ones: for
// it that mount is taken away, in a mount namespace of its own.
func container(runtime string, by timer, args ...string) arm {
	return arm{runtime, func(ctx context.Context) (float64, time.Duration, error) {
		id := fmt.Sprintf("mpsupervisor-bench-%d-%d", os.Getpid(), containers.Add(1))
		all := append(append([]string{}, args...), id)
		if runtime == "crun" && hybrid() {
			script := `umount /sys/fs/cgroup/unified && exec crun "$@"`
			return by(runtime, "unshare", append([]string{"-m", "sh", "-c", script, "crun"}, all...)...).once(ctx)
		}
		return by(runtime, runtime, all...).once(ctx)
	}}
}

func hybrid() bool {
	_, err := os.Stat("/sys/fs/cgroup/unified")
	return err == nil
}

// fillBundle makes an OCI bundle.
func fillBundle(dir, root string, fill func(root string) error, args []string) error {
	for _, d := range []string{"proc", "dev", "sys", "tmp", "bin"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if err := fill(root); err != nil {
		return err
	}
	if out, err := exec.Command("runc", "spec", "--bundle", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("runc spec: %w: %s", err, out)
	}
	return editSpec(filepath.Join(dir, "config.json"), args)
}

// emptyProgram fills a root with a static program that does nothing.
func emptyProgram(root string) error {
	cmd := exec.Command("gcc", "-O2", "-static", "-x", "c", "-o", filepath.Join(root, "empty"), "-")
	cmd.Stdin = strings.NewReader("int main(void) { return 0; }")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the empty program: %w: %s", err, out)
	}
	return nil
}

// editSpec makes runc's own default configuration run a program without a
// terminal; all else stays as it ships.
func editSpec(file string, args []string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(b, &spec); err != nil {
		return err
	}
	process := spec["process"].(map[string]any)
	process["terminal"] = false
	process["args"] = args
	if b, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}
