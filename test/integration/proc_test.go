package integration

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// nothingLeft looks for a worker's process and its control groups.
func nothingLeft(t *testing.T, id string, pid int32) {
	t.Helper()
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil && strings.Contains(string(b), id) {
		t.Errorf("process %d of %s lives", pid, id)
	}
	filepath.WalkDir("/sys/fs/cgroup", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == id {
			t.Errorf("%s is left", path)
		}
		return nil // groups come and go while we look
	})
}

// openFiles counts the descriptors of supervisor and launcher.
func openFiles(t *testing.T, d *daemon.Daemon) (n int) {
	t.Helper()
	for _, pid := range []int{d.Pid(), int(d.Info.LauncherPid)} {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			t.Fatal(err)
		}
		n += len(entries)
	}
	return n
}

func rss(t *testing.T, pid int) int  { return statusKiB(t, pid, "VmRSS:") }
func peak(t *testing.T, pid int) int { return statusKiB(t, pid, "VmHWM:") }

// statusKiB reads a size from proc_pid_status(5) in bytes.
func statusKiB(t *testing.T, pid int, key string) (n int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "\n"+key)
	if _, err := fmt.Sscanf(after, "%d kB", &n); err != nil {
		t.Fatalf("%s of %d: %v", key, pid, err)
	}
	return n << 10
}

// eventually asks until the answer is nil, for a while.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Error(err)
			return
		}
	}
}
