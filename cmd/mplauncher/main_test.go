package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"golang.org/x/sys/unix"
)

// launcher and worker are the programs under test, built by TestMain.
var dir, launcher, worker string

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: starting a worker needs root (CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID)")
		return
	}
	os.Exit(build(m))
}

func build(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "mpsupervisor-launcher-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		panic(err)
	}
	launcher, worker = filepath.Join(dir, "mplauncher"), filepath.Join(dir, "view")
	for _, b := range []struct {
		cgo  string
		args []string
	}{
		{"0", []string{"-o", worker, "../../isolate/testdata/view"}},
		{"1", []string{"-tags", "osusergo,netgo", "-ldflags", `-s -w -linkmode external -extldflags "-static"`, "-o", launcher, "."}},
	} {
		cmd := exec.Command("go", append([]string{"build"}, b.args...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+b.cgo, "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

func group() string { return fmt.Sprintf("mpsupervisor-test/l%d", os.Getpid()) }

func spawn(t testing.TB) (*launch.Client, int) {
	t.Helper()
	c, pid, err := launch.Spawn(launch.Options{
		Launcher: launcher, Worker: worker, RunDir: filepath.Join(dir, "run"),
		CgroupParent: group(), UIDBase: 1_600_000_000, MaxWorkers: 16,
	}, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return c, pid
}

// start starts a worker that stays: its role gives it no mode, so it looks
// around and says what it saw, for which it waits: its standard error is full.
func start(t *testing.T, c *launch.Client, id string) launch.Started {
	t.Helper()
	full, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	t.Cleanup(func() { full.Close() })
	if err := fill(w); err != nil {
		t.Fatal(err)
	}
	s, pidfd, err := c.Start(t.Context(), launch.Start{
		ID: mp.InstanceID(id), Role: launch.RoleJS, Limits: mp.DefaultLimits(), Channel: w, Birth: w, Stderr: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	pidfd.Close()
	return s
}

// fill makes the next write to a pipe wait.
func fill(w *os.File) error {
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) {
		for b := make([]byte, 4096); ; {
			if _, err := unix.Write(int(fd), b); err != nil {
				unix.SetNonblock(int(fd), false)
				return
			}
		}
	})
}

// traces are what a launcher may have left of its workers.
func traces(t *testing.T) (found []string) {
	t.Helper()
	for _, pattern := range []string{
		"/sys/fs/cgroup/*/" + group() + "/*", "/sys/fs/cgroup/*/*/" + group() + "/*", "/sys/fs/cgroup/*/*/*/" + group() + "/*",
		filepath.Join(dir, "run/lanes/*.state"),
	} {
		m, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, m...)
	}
	for _, table := range []string{"/proc/self/mountinfo", "/proc/1/mountinfo"} {
		b, _ := os.ReadFile(table)
		if bytes.Contains(b, []byte(dir)) {
			found = append(found, table)
		}
	}
	status, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, s := range status {
		b, _ := os.ReadFile(s)
		if bytes.Contains(b, []byte("\nUid:\t16000")) && !bytes.Contains(b, []byte("\nState:\tZ")) {
			found = append(found, s)
		}
	}
	return found
}

func ended(t testing.TB, pid int) {
	t.Helper()
	for range 3000 {
		if unix.Kill(pid, 0) == unix.ESRCH {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %d does not end", pid)
}

func TestEndsInOrder(t *testing.T) {
	for what, end := range map[string]func(*launch.Client, int){
		"supervisor gone": func(c *launch.Client, _ int) { c.Close() },
		"asked":           func(_ *launch.Client, pid int) { unix.Kill(pid, unix.SIGTERM) },
	} {
		t.Run(what, func(t *testing.T) {
			c, pid := spawn(t)
			start(t, c, "a")
			if len(traces(t)) == 0 {
				t.Fatal("a running worker leaves no traces: the test sees nothing")
			}
			end(c, pid)
			ended(t, pid)
			if left := traces(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A launcher that is killed leaves orphans; the next one removes them before it
// serves, and nothing of a launcher that lives.
func TestKilledLauncherIsSweptAfter(t *testing.T) {
	alive, alivePid := spawn(t)
	kept := start(t, alive, "kept")
	dead, pid := spawn(t)
	orphan := start(t, dead, "orphan")
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-dead.Done()
	ended(t, pid)
	if err := unix.Kill(orphan.Pid, 0); err != nil {
		t.Fatalf("the orphan is gone by itself (%v): the test shows nothing", err)
	}

	next, nextPid := spawn(t)
	start(t, next, "orphan") // the name is free again
	ended(t, orphan.Pid)
	if err := unix.Kill(kept.Pid, 0); err != nil {
		t.Errorf("the living launcher's worker is gone: %v", err)
	}
	next.Close()
	alive.Close()
	ended(t, nextPid)
	ended(t, alivePid)
	if left := traces(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Killed at any moment of several starts, too.
func TestKilledWhileStarting(t *testing.T) {
	for i := range 12 {
		c, pid := spawn(t)
		start(t, c, "first")
		go func() {
			time.Sleep(time.Duration(i) * 2 * time.Millisecond)
			unix.Kill(pid, unix.SIGKILL)
		}()
		for n := range 4 {
			go c.Start(t.Context(), launch.Start{
				ID: mp.InstanceID(fmt.Sprintf("w%d", n)), Role: launch.RoleJS, Limits: mp.DefaultLimits(),
				Channel: os.Stdin, Birth: os.Stdin, Stderr: os.Stderr,
			})
		}
		<-c.Done()
		ended(t, pid)
	}
	c, pid := spawn(t)
	start(t, c, "last")
	c.Close()
	ended(t, pid)
	if left := traces(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--version"}, 0, "mplauncher "},
		{[]string{"--help"}, 0, "started by mpsupervisor"},
		{[]string{"--no-such"}, 1, "no-such"},
		{[]string{}, 1, "--worker"},
		{[]string{"--worker", "relative"}, 1, "absolute"},
		{[]string{"--worker", "/x", "more"}, 1, "more"},
		{[]string{"--worker", "/x", "--max-workers", "0"}, 1, "--max-workers"},
		{[]string{"--worker", "/x", "--max-memory", "1"}, 1, "--max-memory"},
		{[]string{"--worker", "/x", "--uid-base", "0"}, 1, "--uid-base"},
		{[]string{"--learn=perhaps"}, 1, "learn"},
		{[]string{"init"}, 1, "init"}, // not a start: libcontainer has not prepared it
	} {
		out, err := exec.Command(launcher, test.args...).CombinedOutput()
		code := 0
		if exit, ok := err.(*exec.ExitError); ok {
			code = exit.ExitCode()
		}
		if code != test.code || !strings.Contains(string(out), test.says) {
			t.Errorf("%v: status %d, says %q", test.args, code, out)
		}
	}
}

func TestNeedsRoot(t *testing.T) {
	cmd := exec.Command(launcher, "--worker", "/x")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "must be root") {
		t.Errorf("%v, says %q", err, out)
	}
}
