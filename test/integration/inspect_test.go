package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// inspected is the part of `inspect -o json` that the kernel can confirm.
type inspected struct {
	Program struct {
		ID    string `json:"id"`
		PID   int    `json:"pid"`
		State string `json:"state"`
	} `json:"program"`
	Limits struct {
		Memory int64   `json:"memory_bytes"`
		Pids   int64   `json:"pids"`
		CPU    float64 `json:"cpu"`
	} `json:"limits"`
	Locks []struct {
		Name  string `json:"name"`
		Found string `json:"found"`
		OK    bool   `json:"ok"`
	} `json:"locks"`
}

// tell runs a command of the command line against the shared daemon.
func tell(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), daemon.Program("mpsupervisor"), append([]string{"--socket", shared.Socket}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}

func inspect(t *testing.T, id string) (v inspected) {
	t.Helper()
	if err := json.Unmarshal([]byte(tell(t, "inspect", "-o", "json", id)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestInspect compares what inspect tells with what the kernel tells about the
// same process.
func TestInspect(t *testing.T) {
	memory, pids, cpu := int64(48<<20), int64(24), 0.5
	id := startWith(t, "unit-converter", &controlpb.Limits{MemoryBytes: &memory, Pids: &pids, Cpu: &cpu, CallTimeout: unhurried})
	// The worker's threads come and go, so a number of them may be an old one.
	eventually(t, func() error { return agrees(inspect(t, id)) })
	v := inspect(t, id)
	if v.Limits.Memory != memory || v.Limits.Pids != pids || v.Limits.CPU != cpu {
		t.Errorf("limits %+v", v.Limits)
	}
}

// agrees compares each lock that the kernel shows.
func agrees(v inspected) error {
	p := proc(v.Program.PID)
	threads := fmt.Sprintf(", on %d threads", p.count("task"))
	want := map[string]string{
		"memory limit":   p.group("memory", "memory.limit_in_bytes", "memory.max") + " bytes with swap",
		"pids limit":     p.group("pids", "pids.max", "pids.max") + " tasks",
		"cpu limit":      p.processors() + " processors",
		"seccomp":        "mode " + p.status("Seccomp") + ", " + p.status("Seccomp_filters") + " filters" + threads,
		"no_new_privs":   p.status("NoNewPrivs") + strings.TrimPrefix(threads, ","),
		"descriptors":    p.descriptors(),
		"capabilities":   p.capabilities() + threads,
		"uid range":      p.users(),
		"user namespace": p.link("ns/user"), "pid namespace": p.link("ns/pid"), "mount namespace": p.link("ns/mnt"),
		"network namespace": p.link("ns/net"), "ipc namespace": p.link("ns/ipc"), "uts namespace": p.link("ns/uts"),
		"cgroup namespace": p.link("ns/cgroup"),
	}
	if len(v.Locks) < len(want) {
		return fmt.Errorf("only %d locks in %+v", len(v.Locks), v)
	}
	for _, l := range v.Locks {
		if !l.OK {
			return fmt.Errorf("%s is not ok: %s", l.Name, l.Found)
		}
		if w, ok := want[l.Name]; ok && w != l.Found {
			return fmt.Errorf("%s: inspect tells %q, the kernel %q", l.Name, l.Found, w)
		}
		delete(want, l.Name)
	}
	if len(want) > 0 {
		return fmt.Errorf("inspect does not tell %v", want)
	}
	return nil
}

// TestTables compares the tables of ps and inspect with their JSON.
func TestTables(t *testing.T) {
	id := start(t, "unit-converter")
	v := inspect(t, id)
	table := words(tell(t, "inspect", id))
	for _, l := range v.Locks {
		if strings.Contains(l.Found, " threads") {
			continue // their number may have changed
		}
		if row := "ok " + l.Name; !strings.Contains(table, row) || !strings.Contains(table, l.Found) {
			t.Errorf("no row %q with %q in\n%s", row, l.Found, table)
		}
	}
	var all []struct {
		ID    string `json:"id"`
		App   string `json:"app_id"`
		PID   int    `json:"pid"`
		State string `json:"state"`
	}
	if err := json.Unmarshal([]byte(tell(t, "ps", "-o", "json")), &all); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range all {
		row := fmt.Sprintf("%s %s 1.0.0 js %s", p.ID, p.App, p.State)
		if p.ID == id && p.PID == v.Program.PID && strings.Contains(words(tell(t, "ps")), row) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("ps -o json tells %+v, ps %s, inspect %+v", all, tell(t, "ps"), v.Program)
	}
}

// words puts single blanks between words.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }
