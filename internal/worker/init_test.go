package worker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// These tests are about the worker as process 1.

// childrenOf lists the children of a process, zombies too, as the host numbers
// them (proc(5), /proc/PID/task/TID/children).
func childrenOf(t *testing.T, pid int) (pids []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of %d: %v", pid, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}

// Orphans that end are reaped, a thousand of them.
func TestInitReaps(t *testing.T) {
	h := shell(t, `i=0; while [ $i -lt 1000 ]; do (true &); i=$((i+1)); done; echo done; read -r x <&3`)
	h.waitLog("info done")
	var left []string
	for range 1000 {
		if left = childrenOf(t, h.cmd.Process.Pid); len(left) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) != 1 {
		t.Errorf("children: %v", left)
	}
	h.call("f", "")
	h.wantEnd(wire.Ending{Cause: mp.CauseExited}, 0)
}

// attack runs one of the attacks and wants nothing of it.
func attack(t *testing.T, name string) *host {
	t.Helper()
	h := startNative(t, "attack", name)
	h.wantEnd(wire.Ending{Cause: mp.CauseExited}, 0)
	return h
}

func TestInitSurvives(t *testing.T) {
	for _, name := range []string{"signals", "rights"} {
		t.Run(name, func(t *testing.T) {
			if got := attack(t, name).log(); got != "info done\n" {
				t.Error(got)
			}
		})
	}
}

// The program inherits its four descriptors and nothing of the worker's.
func TestInitLeaksNoDescriptor(t *testing.T) {
	const want = "info descriptor 0\ninfo descriptor 1\ninfo descriptor 2\ninfo descriptor 3\ninfo done\n"
	if got := attack(t, "descriptors").log(); got != want {
		t.Error(got)
	}
}

// No descriptor that the program sends arrives.
func TestInitTakesNoDescriptor(t *testing.T) {
	h := beginNative(t)
	err := h.bootNative(wire.Native{Args: []string{"attack", "rights"}, Env: []string{"STAY=1"}})
	if err != nil {
		t.Fatal(err)
	}
	h.waitLog("info done")
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", h.cmd.Process.Pid))
	// Standard three, channel, bridge, two outputs, the poller's two.
	if err != nil || len(entries) > 9 {
		t.Errorf("%d descriptors, %v", len(entries), err)
	}
}

// Process 1 ignores or handles every signal but SIGCHLD, SIGKILL and SIGSTOP;
// the program begins with the defaults.
func TestInitSignals(t *testing.T) {
	h := startNative(t, "sleep", "1000")
	pids := append([]string{fmt.Sprint(h.cmd.Process.Pid)}, childrenOf(t, h.cmd.Process.Pid)...)
	for i, want := range []struct{ ignored, caught string }{
		{"fffffffeffbafeff", "0000000100400000"},
		{"0000000000000000", "0000000000000000"},
	} {
		b, err := os.ReadFile("/proc/" + pids[i] + "/status")
		if err != nil {
			t.Fatal(err)
		}
		for name, mask := range map[string]string{"SigIgn": want.ignored, "SigCgt": want.caught} {
			if !strings.Contains(string(b), "\n"+name+":\t"+mask+"\n") {
				t.Errorf("process %d of the namespace: %s is not %s in\n%s", i+1, name, mask, b)
			}
		}
	}
}

// Process 1 is under one filter more than the program. Seccomp_filters is in
// /proc/PID/status since Linux 5.9.
func TestInitIsNarrower(t *testing.T) {
	h := shell(t, "echo ready; read -r x <&3")
	h.waitLog("info ready")
	program, err := seccomp.ParseStack(stack(t, seccomp.RoleNative))
	if err != nil {
		t.Fatal(err)
	}
	pids := append([]string{fmt.Sprint(h.cmd.Process.Pid)}, childrenOf(t, h.cmd.Process.Pid)...)
	for i, want := range []int{len(program) + 1, len(program)} {
		b, err := os.ReadFile("/proc/" + pids[i] + "/status")
		if line := fmt.Sprintf("\nSeccomp_filters:\t%d\n", want); err != nil || !strings.Contains(string(b), line) {
			t.Errorf("process %d of the namespace: %v; want %q in\n%s", i+1, err, line, b)
		}
	}
}

// Without the filter of process 1 there is no program.
func TestInitNeedsItsFilter(t *testing.T) {
	for name, c := range map[string]struct {
		narrow []byte
		code   int
	}{
		"none": {[]byte{}, 72},
		"cut":  {[]byte("12345678"), 70},
		"bad":  {seccomp.Stack{{Program: []byte("12345678")}}.Marshal(), 72},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := launch(t, variation{args: []string{"native"}, narrow: c.narrow})
			if c.code == 70 {
				if s := h.wait(); s.ExitStatus() != c.code {
					t.Errorf("status %#x; %s", s, &h.stderr)
				}
				return
			}
			h = begin(t, variation{args: []string{"native"}, narrow: c.narrow})
			h.waitSealed()
			if err := h.bootNative(wire.Native{Args: []string{"sleep", "1000"}}); err == nil {
				t.Error("booted")
			}
			if s := h.wait(); s.ExitStatus() != c.code || !strings.Contains(h.stderr.String(), "seccomp") {
				t.Errorf("status %#x; %s", s, &h.stderr)
			}
		})
	}
}
