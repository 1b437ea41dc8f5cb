package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// evil is what a program might want a terminal to do: clear the screen, set
// the title, ring, print backwards.
const evil = "a\x1b[2J\x1b]0;t\a\u009b1m\u202eb"

// safe is the same on paper.
const safe = `a\x1b[2J\x1b]0;t\x07\x9b1m\u{202e}b`

var noon = timestamppb.New(time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC))

// canned answers the control API with the same things every time, in which
// every text that a program can choose is evil.
type canned struct {
	controlpbconnect.UnimplementedControlHandler
	deeds *deeds // nil where nobody asks
}

var running = &controlpb.Program{Id: "abcdefghijkm", AppId: "com.example.loan", Name: evil, Version: evil,
	Digest: "sha256:00", Runtime: "js", State: "running", Started: noon, Pid: 42, MemoryBytes: 3 << 20,
	Cpu: durationpb.New(1500 * time.Millisecond), Calls: 7}

var ended1 = &controlpb.Program{Id: "abzzzzzzzzzz", AppId: "com.example.old", State: "ended", Started: noon,
	Exit: &controlpb.Exit{Cause: "memory limit", Detail: evil, Status: 137, Time: noon}}

var ended2 = &controlpb.Program{Id: "abyyyyyyyyyy", AppId: "com.example.old", State: "ended", Started: noon,
	Exit: &controlpb.Exit{Cause: "exited", Code: 3, Status: 3, Time: noon}}

func (canned) List(_ context.Context, r *controlpb.ListRequest) (*controlpb.ListResponse, error) {
	l := &controlpb.ListResponse{Programs: []*controlpb.Program{running}}
	if r.GetAll() {
		l.Programs = append(l.Programs, ended1, ended2)
	}
	return l, nil
}

func (canned) Inspect(_ context.Context, r *controlpb.InspectRequest) (*controlpb.InspectResponse, error) {
	if r.GetId() != running.Id {
		return &controlpb.InspectResponse{Program: ended1}, nil
	}
	return &controlpb.InspectResponse{
		Program: running, Entry: "app.js", Exports: []string{"payment", evil}, Pages: []string{"pages/home", evil}, Image: "mapped", PolicyDigest: "sha256:11",
		Limits: someLimits(),
		Locks: []*controlpb.Lock{
			{Name: "user namespace", Want: "own", Found: "own", Ok: true},
			{Name: "seccomp", Want: "filter", Found: "none", Ok: false},
		},
		Usage:    &controlpb.Usage{MemoryBytes: 3 << 20, PeakBytes: 4 << 20, Pids: 5, Cpu: durationpb.New(time.Second), LogLines: 9, LogDropped: 2},
		Channel:  &controlpb.Channel{Handshake: "Noise_NNpsk0_25519_AESGCM_SHA256", SentBytes: 100, SentMessages: 2},
		Denials:  []*controlpb.Denial{{Syscall: "socket", Arch: "x86_64", Action: "refused", Count: 7}, {Syscall: evil, Arch: "x32", Action: "killed", Count: 1}},
		Learning: true,
	}, nil
}

func (canned) Call(_ context.Context, r *controlpb.CallRequest) (*controlpb.CallResponse, error) {
	switch r.GetName() {
	case "throw":
		t := &controlpb.Thrown{Name: "RangeError", Message: evil, Stack: "at f (app.js:3)\n" + evil}
		return &controlpb.CallResponse{Outcome: &controlpb.CallResponse_Thrown{Thrown: t}}, nil
	case "paymnet":
		return nil, fmt.Errorf("function paymnet: %w", mp.ErrNotFound)
	case "die":
		return nil, control.About(mp.InstanceID(r.GetId()), &controlpb.Exit{Cause: "call limit", Status: 137}, fmt.Errorf("%w: call limit", mp.ErrEnded))
	case "evil":
		b, _ := json.Marshal(map[string]string{"x": evil})
		return &controlpb.CallResponse{Outcome: &controlpb.CallResponse_OutputJson{OutputJson: string(b)}}, nil
	}
	out := fmt.Sprintf(`{ "name": %q,  "input": %s, "rows": [1, 2] }`, r.GetName(), r.GetInputJson())
	return &controlpb.CallResponse{Outcome: &controlpb.CallResponse_OutputJson{OutputJson: out}}, nil
}

func (c canned) Kill(_ context.Context, r *controlpb.KillRequest) (*controlpb.KillResponse, error) {
	c.deeds.add("kill " + r.GetId() + map[bool]string{true: " now"}[r.GetNow()])
	return &controlpb.KillResponse{Exit: &controlpb.Exit{Cause: "killed by operator", Status: 137}}, nil
}

func (canned) Logs(_ context.Context, r *controlpb.LogsRequest, s *connect.ServerStream[controlpb.LogLine]) error {
	for _, l := range []*controlpb.LogLine{
		{Time: noon, Level: "info", Text: "one"},
		{Time: noon, Level: evil, Text: evil, Dropped: 3},
	} {
		if err := s.Send(l); err != nil {
			return err
		}
	}
	return nil
}

func (canned) Events(_ context.Context, r *controlpb.EventsRequest, s *connect.ServerStream[controlpb.Event]) error {
	if err := s.Send(&controlpb.Event{Seq: 1, Time: noon, Type: "started", Id: "abcdefghijkm", AppId: "com.example.loan"}); err != nil {
		return err
	}
	return s.Send(&controlpb.Event{Seq: 2, Time: noon, Type: "ended", Id: "abcdefghijkm", Fields: map[string]string{"cause": evil, "a": "b"}})
}

// serveCanned serves on a socket of its own and returns its path.
func serveCanned(t *testing.T) string { return serveWatched(t, nil) }

// serveWatched serves likewise, and writes down what is asked for.
func serveWatched(t *testing.T, d *deeds) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "control.sock")
	l, err := control.Listen(socket, -1)
	if err != nil {
		t.Fatal(err)
	}
	server := control.NewServer(control.ServerConfig{
		Handler: canned{deeds: d},
		Access:  control.Access{Owners: []uint32{uint32(os.Getuid())}},
		Refused: func(p control.Peer, procedure string, why error) { t.Errorf("refused: %v", why) },
		Log:     slog.New(slog.DiscardHandler),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Shutdown(context.Background())
		<-done
	})
	return socket
}

// outcome is what a command line came to.
type outcome struct {
	out, err string
	status   int
}

func invoke(socket, stdin string, args ...string) outcome {
	var out, errs bytes.Buffer
	status := execute(context.Background(), append([]string{"--socket", socket}, args...), strings.NewReader(stdin), &out, &errs)
	return outcome{out.String(), errs.String(), status}
}

func TestAnswersInTables(t *testing.T) {
	socket := serveCanned(t)
	tests := []struct {
		args   string
		status int
		want   []string
	}{
		{"ps", 0, []string{"ID            APP", "abcdefghijkm  com.example.loan  " + safe, "js       running", "42   3.0 MiB  1.50s  7"}},
		{"ps -a", 0, []string{"ended: memory limit (" + safe + ")", "ended: exited with code 3", "  -    0 B"}},
		{"inspect abc", 0, []string{"PROGRAM\n  id", "exports     payment, " + safe, "LIMITS AND USAGE", "memory        64M     3.0 MiB  peak 4.0 MiB",
			"ok       user namespace", "MISSING  seccomp         filter  none", "CHANNEL\n  handshake", "call timeout  5s",
			"REFUSED SYSTEM CALLS\n  CALL", "socket", "refused  7", "learning    every system call", "memory soft   32M", "io rate       1M/s", "io weight     -"}},
		{"inspect abz", 0, []string{"cause        memory limit (" + safe + ")", "exit status  137"}},
		{"call abc payment 3", 0, []string{`{"name":"payment","input":3,"rows":[1,2]}` + "\n"}},
		{"call abc payment -o table", 0, []string{"name   payment\ninput  null\nrows   [1,2]\n"}},
		{"call abc evil", 0, []string{`{"x":"a\u001b[2J\u001b]0;t\u0007\u009b1m\u202eb"}`}},
		{"call abc evil -o table", 0, []string{"x  " + safe}},
		{"kill abc", 0, []string{"abcdefghijkm  killed by operator"}},
		{"logs abc", 0, []string{"info  one\n", "(3 lines dropped: above the log rate)\n", safe}},
		{"events", 0, []string{"started abcdefghijkm com.example.loan\n", `ended abcdefghijkm a="b" cause="`}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o := invoke(socket, "", strings.Fields(tt.args)...)
			if o.status != tt.status || o.err != "" {
				t.Errorf("status %d, errors %q", o.status, o.err)
			}
			for _, w := range tt.want {
				if !strings.Contains(o.out, w) {
					t.Errorf("output has no %q:\n%s", w, o.out)
				}
			}
			expectTame(t, o)
		})
	}
}

// expectTame fails if anything that a terminal obeys was printed.
func expectTame(t *testing.T, o outcome) {
	t.Helper()
	if i := strings.IndexAny(o.out+o.err, "\x1b\a\u009b\u202e"); i >= 0 {
		t.Errorf("printed as it is: %q", (o.out + o.err)[i:])
	}
}

func TestAnswersInJSON(t *testing.T) {
	socket := serveCanned(t)
	tests := []struct{ args, want string }{
		{"ps", `[{"id":"abcdefghijkm","app_id":"com.example.loan","name":"a\u001b[2J\u001b]0;t\u0007\u009b1m\u202eb","version":"a\u001b[2J\u001b]0;t\u0007\u009b1m\u202eb","digest":"sha256:00","runtime":"js","state":"running","started":"2024-02-29T12:00:00Z","pid":42,"memory_bytes":3145728,"cpu_seconds":1.5,"calls":7,"visible":false,"page":"","exit":null,"image_bytes":0,"hibernated":null}]`},
		{"kill abc", `[{"id":"abcdefghijkm","exit":{"cause":"killed by operator","code":0,"signal":0,"syscall":"","fault":"","detail":"","status":137,"time":null}}]`},
		{"logs abc", `{"time":"2024-02-29T12:00:00Z","level":"info","text":"one","dropped":0}`},
		{"events", `{"seq":1,"time":"2024-02-29T12:00:00Z","type":"started","id":"abcdefghijkm","app_id":"com.example.loan","fields":{}}`},
		{"inspect abc", `"limits":{"memory_bytes":67108864,"pids":32,"cpu":0.5,"call_timeout_seconds":5,"log_rate":200,"memory_soft_bytes":33554432,"cpu_weight":100,"io_rate":1048576,"io_weight":0,"tmp_bytes":16777216,"tmp_files":1024,"files":256,"ipc_rate":1000},"usage":{"memory_bytes":3145728,"peak_bytes":4194304,"pids":5,"cpu_seconds":1,"throttled_periods":0,"log_lines":9,"log_dropped":2},"locks":[{"name":"user namespace","want":"own","found":"own","ok":true},{"name":"seccomp","want":"filter","found":"none","ok":false}],"channel":{"handshake":"Noise_NNpsk0_25519_AESGCM_SHA256","sent_bytes":100,"received_bytes":0,"sent_messages":2,"received_messages":0,"rekeys":0},"denials":[{"syscall":"socket","arch":"x86_64","action":"refused","count":7},{"syscall":"a\u001b[2J\u001b]0;t\u0007\u009b1m\u202eb","arch":"x32","action":"killed","count":1}],"learning":true}`},
		{"inspect abz", `"exports":[],"pages":[],"image":""`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o := invoke(socket, "", append(strings.Fields(tt.args), "-o", "json")...)
			if o.status != 0 || !strings.Contains(o.out, tt.want) {
				t.Errorf("status %d, errors %q, output\n%s\nwant in it\n%s", o.status, o.err, o.out, tt.want)
			}
			d := json.NewDecoder(strings.NewReader(o.out))
			for {
				var v any
				if err := d.Decode(&v); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("not JSON: %v", err)
				}
			}
			expectTame(t, o)
		})
	}
}

func TestFailures(t *testing.T) {
	socket := serveCanned(t)
	tests := []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"inspect", "ab"}, 0, ""}, // one of them runs: that is meant
		{[]string{"inspect", "x"}, 127, "program x: not found; see mpsupervisor ps -a"},
		{[]string{"inspect", "abq"}, 127, "not found"},
		{[]string{"call", "abc", "throw"}, 1, "throw threw RangeError: " + safe + "\nat f (app.js:3)\n" + safe},
		{[]string{"call", "abc", "paymnet"}, 127, "did you mean payment?"},
		{[]string{"call", "abc", "die"}, 137, "mini-program has ended: call limit"},
		{[]string{"kill", "abc", "x"}, 127, "cannot kill: program x: not found"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			o := invoke(socket, "", tt.args...)
			if o.status != tt.status || !strings.Contains(o.err, tt.want) {
				t.Errorf("status %d, want %d; errors %q, want in it %q", o.status, tt.status, o.err, tt.want)
			}
			expectTame(t, o)
		})
	}
}

func TestAmbiguousPrefix(t *testing.T) {
	if id, err := only("ab", nil, []string{"abx", "aby"}); err == nil || !strings.Contains(err.Error(), "abx, aby") {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := only("ab", []string{"abx"}, []string{"aby"}); id != "abx" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
}

func TestInputSources(t *testing.T) {
	socket := serveCanned(t)
	if o := invoke(socket, `{"a": 1}`, "call", "abc", "f", "-"); !strings.Contains(o.out, `"input":{"a":1}`) {
		t.Errorf("from standard input: %+v", o)
	}
	if o := invoke(socket, strings.Repeat(" ", 2<<20), "call", "abc", "f", "-"); o.status != mp.StatusFailed || !strings.Contains(o.err, "longer than") {
		t.Errorf("too long: %+v", o)
	}
	if o := invoke(socket, "[1,", "call", "abc", "f", "-"); o.status != mp.StatusFailed || !strings.Contains(o.err, "not JSON") {
		t.Errorf("not JSON: %+v", o)
	}
}

func TestCompletesIDsAndExports(t *testing.T) {
	socket := serveCanned(t)
	if o := invoke(socket, "", "__complete", "inspect", ""); !strings.Contains(o.out, "abcdefghijkm\t"+safe) || !strings.Contains(o.out, "abzzzzzzzzzz") {
		t.Errorf("%+v", o)
	}
	if o := invoke(socket, "", "__complete", "kill", ""); !strings.Contains(o.out, "abcdefghijkm") || strings.Contains(o.out, "abzzzzzzzzzz") {
		t.Errorf("%+v", o)
	}
	if o := invoke(socket, "", "__complete", "show", "abc", "--page", ""); !strings.Contains(o.out, "pages/home\n") {
		t.Errorf("pages: %q", o.out)
	}
	if o := invoke(socket, "", "__complete", "call", "abc", ""); !strings.Contains(o.out, "payment\n") {
		t.Errorf("%+v", o)
	}
}
