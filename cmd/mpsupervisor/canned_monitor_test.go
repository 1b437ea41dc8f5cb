package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// deeds is what the canned server was asked to do, in order.
type deeds struct {
	mu   sync.Mutex
	done []string
}

func (d *deeds) add(what string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = append(d.done, what)
}

func (d *deeds) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.done)
}

func someLimits() *controlpb.Limits {
	return &controlpb.Limits{
		MemoryBytes: proto.Int64(64 << 20), Pids: proto.Int64(32), Cpu: proto.Float64(0.5), LogRate: proto.Int32(200),
		CallTimeout: durationpb.New(5 * time.Second), MemorySoftBytes: proto.Int64(32 << 20), CpuWeight: proto.Int64(100),
		IoRate: proto.Int64(1 << 20), IoWeight: proto.Int64(0), TmpBytes: proto.Int64(16 << 20), TmpFiles: proto.Int64(1024),
		Files: proto.Int64(256), IpcRate: proto.Int32(1000),
	}
}

// burner is a second program: it uses more processor and less memory than the
// first, and is frozen.
var burner = &controlpb.Program{Id: "bbcdefghijkm", AppId: "com.example.burner" + evil, Name: evil, State: "frozen", Started: noon, Runtime: "native"}

func sample(cpu float64, memory uint64) *controlpb.Sample {
	return &controlpb.Sample{Time: noon, Cpu: cpu, MemoryBytes: memory, MemoryRatio: float64(memory) / (64 << 20), Pids: 5,
		StalledRatio: 0.25, IpcMessages: 3.25, LogLines: 12, Denials: 0.5}
}

func (canned) Stats(_ context.Context, r *controlpb.StatsRequest) (*controlpb.StatsResponse, error) {
	first := &controlpb.Stats{Program: running, Limits: someLimits(), Now: sample(0.125, 48<<20), Denials: 7}
	if r.GetHistory() {
		first.History = []*controlpb.Sample{sample(1, 32<<20), first.Now}
	}
	if r.GetId() != "" {
		return &controlpb.StatsResponse{Stats: []*controlpb.Stats{first}}, nil
	}
	return &controlpb.StatsResponse{Stats: []*controlpb.Stats{first,
		{Program: burner, Limits: someLimits(), Now: sample(0.5, 3<<20), ThrottledBy: "cpu"},
		{Program: &controlpb.Program{Id: "zzcdefghijkm", AppId: "com.example.new", State: "starting", Started: noon}, Limits: someLimits()},
	}}, nil
}

func (c canned) Update(_ context.Context, r *controlpb.UpdateRequest) (*controlpb.UpdateResponse, error) {
	c.deeds.add(fmt.Sprintf("update %s %d %g", r.GetId(), r.GetLimits().GetMemoryBytes(), r.GetLimits().GetCpu()))
	l := someLimits()
	proto.Merge(l, r.GetLimits())
	return &controlpb.UpdateResponse{Limits: l}, nil
}

func (c canned) Freeze(_ context.Context, r *controlpb.FreezeRequest) (*controlpb.FreezeResponse, error) {
	c.deeds.add("freeze " + r.GetId())
	return &controlpb.FreezeResponse{}, nil
}

func (c canned) Thaw(_ context.Context, r *controlpb.ThawRequest) (*controlpb.ThawResponse, error) {
	c.deeds.add("thaw " + r.GetId())
	return &controlpb.ThawResponse{}, nil
}

func (c canned) Show(_ context.Context, r *controlpb.ShowRequest) (*controlpb.ShowResponse, error) {
	c.deeds.add("show " + r.GetId() + " " + r.GetPage())
	return &controlpb.ShowResponse{}, nil
}

func (c canned) Hide(_ context.Context, r *controlpb.HideRequest) (*controlpb.HideResponse, error) {
	c.deeds.add("hide " + r.GetId() + " " + r.GetPage())
	return &controlpb.HideResponse{}, nil
}

func (c canned) Quarantine(_ context.Context, r *controlpb.QuarantineRequest) (*controlpb.QuarantineResponse, error) {
	if r.GetClear() != "" {
		c.deeds.add("clear " + r.GetClear())
	}
	until := timestamppb.New(time.Now().Add(90 * time.Second))
	return &controlpb.QuarantineResponse{Quarantined: []*controlpb.Quarantined{
		{Digest: "sha256:" + strings.Repeat("1", 64), AppId: "com.example.loan", Crashes: 3, Until: until, Last: evil},
		{Digest: "sha256:" + strings.Repeat("12", 32), AppId: "com.example.old", Crashes: 5, Until: until, Last: "seccomp: socket"},
		{Digest: "sha256:" + strings.Repeat("3", 64), AppId: "com.example.old", Crashes: 4, Until: until, Last: "memory limit"},
	}}, nil
}

func TestMonitorCommandsInTables(t *testing.T) {
	tests := []struct {
		args, did string
		want      []string
	}{
		{"stats", "", []string{"ID            APP",
			"abcdefghijkm  com.example.loan  ", "running   0.12  48.0 MiB  75%       25%      5     3.2    12     0.5       7       -",
			"com.example.burner" + safe + "  frozen    0.50  3.0 MiB   5%", "       0       cpu",
			"zzcdefghijkm  com.example.new  ", "starting  -     -         -         -        -     -      -      -         0       -"}},
		{"stats abc", "", []string{"abcdefghijkm  com.example.loan"}},
		{"stats abc --history", "", []string{"ID            TIME", "1.00  32.0 MiB", "0.12  48.0 MiB"}},
		{"update abc --memory 128M --cpus 0.25", "update abcdefghijkm 134217728 0.25", []string{"memory        128M\n", "cpu           0.25\n", "pids          32\n", "tmp size      16M\n"}},
		{"freeze abc", "freeze abcdefghijkm", []string{"abcdefghijkm  frozen\n"}},
		{"show abc", "show abcdefghijkm ", []string{"abcdefghijkm  shown\n"}},
		{"show abc --page pages/a", "show abcdefghijkm pages/a", []string{"abcdefghijkm  shown\n"}},
		{"hide abc --page pages/a", "hide abcdefghijkm pages/a", []string{"abcdefghijkm  hidden\n"}},
		{"kill --now abc", "kill abcdefghijkm now", []string{"abcdefghijkm  killed by operator"}},
		{"thaw abc", "thaw abcdefghijkm", []string{"abcdefghijkm  running\n"}},
		{"quarantine", "", []string{"DIGEST               APP", "sha256:111111111111  com.example.loan  3        1m   " + safe, "seccomp: socket"}},
		{"quarantine list", "", []string{"sha256:333333333333"}},
		{"quarantine clear com.example.old", "clear com.example.old", []string{"sha256:121212121212", "sha256:333333333333"}},
		{"quarantine clear sha256:3", "clear sha256:" + strings.Repeat("3", 64), []string{"memory limit"}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var d deeds
			o := invoke(serveWatched(t, &d), "", strings.Fields(tt.args)...)
			if o.status != 0 || o.err != "" {
				t.Errorf("status %d, errors %q", o.status, o.err)
			}
			for _, w := range tt.want {
				if !strings.Contains(o.out, w) {
					t.Errorf("output has no %q:\n%s", w, o.out)
				}
			}
			if did := strings.Join(d.all(), ", "); did != tt.did {
				t.Errorf("did %q, want %q", did, tt.did)
			}
			expectTame(t, o)
		})
	}
}

func TestMonitorCommandsInJSON(t *testing.T) {
	socket := serveCanned(t)
	tests := []struct{ args, want string }{
		{"stats abc", `"now":{"time":"2024-02-29T12:00:00Z","cpu":0.125,"memory_bytes":50331648,"memory_ratio":0.75,"pids":5,"throttled_ratio":0,"faults":0,"major_faults":0,"reclaimed_bytes":0,"stalled_ratio":0.25,"ipc_messages":3.25,"log_lines":12,"denials":0.5},"history":[],"denials":7,"throttled_by":""}]`},
		{"stats abc --history", `"history":[{"time":"2024-02-29T12:00:00Z","cpu":1,`},
		{"stats", `"state":"starting","started":"2024-02-29T12:00:00Z","pid":0,"memory_bytes":0,"cpu_seconds":0,"calls":0,"visible":false,"page":"","exit":null,"image_bytes":0,"hibernated":null},"limits":{"memory_bytes":67108864,`},
		{"stats", `"now":null,"history":[],"denials":0,"throttled_by":""}`},
		{"update abc --pids 64", `{"id":"abcdefghijkm","limits":{"memory_bytes":67108864,"pids":64,`},
		{"freeze abc", `[{"id":"abcdefghijkm","state":"frozen"}]`},
		{"hide abc", `[{"id":"abcdefghijkm","state":"hidden"}]`},
		{"thaw abc", `[{"id":"abcdefghijkm","state":"running"}]`},
		{"quarantine", `"app_id":"com.example.loan","crashes":3,"until":"`},
		{"quarantine clear com.example.loan", `"last":"a\u001b[2J\u001b]0;t\u0007\u009b1m\u202eb"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o := invoke(socket, "", append(strings.Fields(tt.args), "-o", "json")...)
			if o.status != 0 || !strings.Contains(o.out, tt.want) {
				t.Errorf("status %d, errors %q, output\n%s\nwant in it\n%s", o.status, o.err, o.out, tt.want)
			}
			expectTame(t, o)
		})
	}
}

func TestMonitorCommandsFail(t *testing.T) {
	socket := serveCanned(t)
	tests := []struct {
		args   string
		status int
		want   string
	}{
		{"stats x", 127, "program x: not found; see mpsupervisor ps -a"},
		{"update abc", mp.StatusFailed, "no limit to change is named: give one or more, such as --memory 128M"},
		{"update abc --memory 0", mp.StatusFailed, "must be positive"},
		{"update abc --log-rate 5", mp.StatusFailed, "unknown flag"},
		{"update x --pids 64", 127, "not found"},
		{"freeze x abc", 127, "cannot freeze: program x: not found"},
		{"thaw x", 127, "cannot thaw: program x: not found"},
		{"quarantine clear com.example.none", 127, "not in quarantine: not found; see mpsupervisor quarantine list"},
		{"quarantine clear sha256:1", mp.StatusFailed, "ambiguous: 2 packages"},
		{"quarantine clear sha256:", 127, "not in quarantine"},
		{"quarantine empty", mp.StatusFailed, "unknown command"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o := invoke(socket, "", strings.Fields(tt.args)...)
			if o.status != tt.status || !strings.Contains(o.err, tt.want) {
				t.Errorf("status %d, want %d; errors %q, want in it %q", o.status, tt.status, o.err, tt.want)
			}
			expectTame(t, o)
		})
	}
}

func TestCompletesForMonitorCommands(t *testing.T) {
	socket := serveCanned(t)
	for _, args := range []string{"stats", "update", "freeze", "thaw", "show", "hide"} {
		if o := invoke(socket, "", "__complete", args, ""); !strings.Contains(o.out, "abcdefghijkm\t"+safe) || strings.Contains(o.out, "abzzzzzzzzzz") {
			t.Errorf("%s: %+v", args, o)
		}
	}
	if o := invoke(socket, "", "__complete", "quarantine", "clear", ""); !strings.Contains(o.out, "com.example.loan\n") || !strings.Contains(o.out, "sha256:3") {
		t.Errorf("%+v", o)
	}
}
