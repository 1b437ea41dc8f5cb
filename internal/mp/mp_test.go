package mp

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestInstanceID(t *testing.T) {
	seen := map[InstanceID]bool{}
	for range 1000 {
		id := NewInstanceID()
		if !id.Valid() || seen[id] {
			t.Fatalf("%q is not valid, or came twice", id)
		}
		seen[id] = true
	}
	for _, bad := range []InstanceID{"", "-a", "A", "a/b", "..", "a\x00", "a b", "é", InstanceID(strings.Repeat("a", 33))} {
		if bad.Valid() {
			t.Errorf("%q is valid", bad)
		}
	}
}

func TestDigest(t *testing.T) {
	d := Digest{1, 2, 0xff}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back Digest
	if err := json.Unmarshal(b, &back); err != nil || back != d {
		t.Errorf("%s came back as %v, %v", b, back, err)
	}
	for _, bad := range []string{"", "sha256:", "sha256:" + strings.Repeat("0", 63), "sha256:" + strings.Repeat("g", 64),
		"sha512:" + strings.Repeat("0", 64), d.String() + "0"} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestLimits(t *testing.T) {
	if err := DefaultLimits().Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Limits){
		"memory": func(l *Limits) { l.Memory = MinMemory - 1 },
		"pids":   func(l *Limits) { l.Pids = MaxPids + 1 },
		"cpu":    func(l *Limits) { l.CPU = math.NaN() },
		"call":   func(l *Limits) { l.CallTimeout = time.Nanosecond },
		"log":    func(l *Limits) { l.LogRate = -1 },
	} {
		l := DefaultLimits()
		change(&l)
		if err := l.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestExit(t *testing.T) {
	for _, test := range []struct {
		exit   Exit
		status int
		text   string
	}{
		{Exit{Cause: CauseExited, Code: 3}, 3, "exited with code 3"},
		{Exit{Cause: CauseCallLimit, Detail: "5s"}, 137, "call limit (5s)"},
		{Exit{Cause: CauseMemoryLimit}, 137, "memory limit"},
		{Exit{Cause: CauseKilled}, 137, "killed by operator"},
		{Exit{Cause: CauseSignal, Signal: 15}, 143, "signal 15"},
		{Exit{Cause: CauseSeccomp, Syscall: "socket"}, 159, "seccomp: socket"},
		{Exit{Cause: CauseMemoryViolation, Fault: FaultNull}, 139, "memory violation: null page"},
		{Exit{Cause: CauseMemoryViolation, Signal: 7}, 135, "memory violation"},
		{Exit{Cause: CauseProtocol}, 137, "protocol error"},
		{Exit{Cause: CauseSupervisorGone}, 125, "supervisor gone"},
	} {
		if got := test.exit.Status(); got != test.status {
			t.Errorf("%v: status %d, want %d", test.exit, got, test.status)
		}
		if got := test.exit.String(); got != test.text {
			t.Errorf("got %q, want %q", got, test.text)
		}
	}
}
