package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger makes a command that runs this program as a user without rights.
// The test's binary is the program when it is called so: see TestMain.
func stranger(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it starts a program as somebody else")
	}
	dir, err := os.MkdirTemp("/tmp", "mpsupervisor-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "mpsupervisor")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Dir = "/"
		cmd.Env = []string{socketVariable + "=" + dir + "/none.sock", "GORACE=atexit_sleep_ms=0"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return cmd
	}
}

func TestNotRoot(t *testing.T) {
	command := stranger(t)
	tests := []struct {
		args   string
		status int
		want   string
	}{
		{"run .", 125, "running in place needs root: run this with sudo"},
		{"serve", 125, "cannot serve: the launcher needs root"},
		{"doctor", 1, "could not be looked at: run sudo mpsupervisor doctor."},
		{"doctor", 1, "needs-root"},
	}
	for _, tt := range tests {
		cmd := command(strings.Fields(tt.args)...)
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != tt.status || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s: status %d, want %d; %q is not in\n%s", tt.args, status, tt.status, tt.want, out)
		}
	}
}
