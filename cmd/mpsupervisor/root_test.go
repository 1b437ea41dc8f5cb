package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// buildAll builds the three programs and the heap image as make does, and
// returns their directory, which every user can reach.
func buildAll(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it seals workers")
	}
	dir, err := os.MkdirTemp("/tmp", "mpsupervisor-bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pure := []string{"build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-ldflags", "-s -w", "-o", dir + "/"}
	command(t, "CGO_ENABLED=0", "go", append(pure, ".")...)
	command(t, "CGO_ENABLED=0", "go", append(pure, "../mpworker")...)
	command(t, "CGO_ENABLED=1", "go", "build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-tags", "osusergo,netgo",
		"-ldflags", `-s -w -linkmode external -extldflags "-static"`, "-o", dir+"/", "../mplauncher")
	command(t, "", filepath.Join(dir, "mpworker"), "image", filepath.Join(dir, "mpworker.img"))
	return dir
}

func command(t *testing.T, env, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

// TestRootScripts runs real programs in real workers.
func TestRootScripts(t *testing.T) {
	bin := buildAll(t)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:         "testdata/rootscript",
		WorkdirRoot: bin, // every user can reach it: the supervisor and workers are not root
		Deadline:    time.Now().Add(5 * time.Minute),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+":"+e.Getenv("PATH"))
			e.Setenv("EXAMPLES", examples)
			e.Setenv(socketVariable, e.WorkDir+"/control.sock")
			e.Defer(func() { endDaemon(t, e.WorkDir+"/daemon.pid") })
			return os.Chmod(e.WorkDir, 0o755)
		},
	})
}

// endDaemon ends the daemon of a script that failed before it did.
func endDaemon(t *testing.T, pidFile string) {
	b, err := os.ReadFile(pidFile)
	if err != nil {
		return // the script has none
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Errorf("%s: %v", pidFile, err)
		return
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err == nil && strings.TrimSpace(string(name)) == "mpsupervisor" {
		syscall.Kill(pid, syscall.SIGTERM)
	}
}
