package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// emptyContainers builds an empty static program and gives one arm for each
// peer that runs it in a container with all namespaces.
func emptyContainers() (arms []arm, cleanup func(), err error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-peers-")
	if err != nil {
		return nil, nil, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	bundle := filepath.Join(dir, "bundle")
	if err := emptyBundle(bundle); err != nil {
		cleanup()
		return nil, nil, err
	}
	root := filepath.Join(bundle, "rootfs")
	return []arm{
		command("bwrap", "bwrap", "--unshare-all", "--ro-bind", root, "/", "--cap-drop", "ALL", "--die-with-parent", "/empty"),
		container("runc", "--root", filepath.Join(dir, "runc"), "run", "--bundle", bundle),
		container("crun", "--root", filepath.Join(dir, "crun"), "run", "--bundle", bundle),
	}, cleanup, nil
}

var containers atomic.Int64

// container is an arm that runs an OCI runtime with a fresh container name.
// crun refuses a host that mounts a unified hierarchy beside the old ones: for
// it that mount is taken away, in a mount namespace of its own.
func container(runtime string, args ...string) arm {
	return arm{runtime, func(ctx context.Context) (float64, time.Duration, error) {
		id := fmt.Sprintf("mpsupervisor-bench-%d-%d", os.Getpid(), containers.Add(1))
		all := append(append([]string{}, args...), id)
		if runtime == "crun" && hybrid() {
			script := `umount /sys/fs/cgroup/unified && exec crun "$@"`
			return command(runtime, "unshare", append([]string{"-m", "sh", "-c", script, "crun"}, all...)...).once(ctx)
		}
		return command(runtime, runtime, all...).once(ctx)
	}}
}

func hybrid() bool {
	_, err := os.Stat("/sys/fs/cgroup/unified")
	return err == nil
}

// emptyBundle makes an OCI bundle of a static program that does nothing.
func emptyBundle(dir string) error {
	if err := writeAll(dir, map[string]string{"empty.c": "int main(void) { return 0; }\n"}); err != nil {
		return err
	}
	root := filepath.Join(dir, "rootfs")
	for _, d := range []string{"proc", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	if out, err := exec.Command("gcc", "-O2", "-static", "-o", filepath.Join(root, "empty"), filepath.Join(dir, "empty.c")).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the empty program: %w: %s", err, out)
	}
	if out, err := exec.Command("runc", "spec", "--bundle", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("runc spec: %w: %s", err, out)
	}
	return editSpec(filepath.Join(dir, "config.json"))
}

// editSpec makes runc's own default configuration run the empty program
// without a terminal; all else stays as it ships.
func editSpec(file string) error {
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
	process["args"] = []string{"/empty"}
	if b, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}
