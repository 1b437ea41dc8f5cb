package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// rogueEnd is how a rogue worker must end: see testdata/rogue for what it does.
type rogueEnd struct {
	trick   string
	cause   string
	detail  string        // a part of it
	syscall string        // for "seccomp"
	fault   string        // for "memory violation"
	timeout time.Duration // of a call; 0 for one that is never reached
}

var rogueEnds = []rogueEnd{
	{trick: "garbage", cause: "protocol error", detail: "frame length"},
	{trick: "half frame", cause: "protocol error", detail: "deadline"},
	{trick: "half frame, then exit", cause: "exited"},
	{trick: "length of 4 GiB", cause: "protocol error", detail: "frame length"},
	{trick: "forged frame", cause: "protocol error", detail: "authentication"},
	{trick: "replayed frame", cause: "protocol error", detail: "authentication"},
	{trick: "ten thousand calls", cause: "protocol error"},
	{trick: "endless messages", cause: "protocol error", detail: "more messages"},
	{trick: "message of 4 GiB", cause: "protocol error", detail: "message size"},
	{trick: "reply of garbage", cause: "protocol error"},
	{trick: "reply that is no JSON", cause: "protocol error", detail: "not JSON"},
	{trick: "two replies", cause: "protocol error", detail: "reply"},
	{trick: "Sealed again", cause: "protocol error"},
	{trick: "unknown message", cause: "protocol error"},
	{trick: "close, then stay", cause: "protocol error"},
	{trick: "no answer", cause: "call limit", timeout: 300 * time.Millisecond},
	{trick: "exit", cause: "exited"},
	{trick: "false word", cause: "exited"},
	{trick: "socket", cause: "seccomp", syscall: "socket"},
	{trick: "crash", cause: "memory violation", fault: "null page"},
	{trick: "memory", cause: "memory limit"},
}

// farAway is a call's limit where another end must come first.
const farAway = 60 * time.Second

// TestRogueWorker puts a worker that was taken over in the real one's place: it
// must be the only one that suffers, and nothing of it may be left.
func TestRogueWorker(t *testing.T) {
	d := serveRogue(t, "")
	digest, err := d.Put(t.Context(), example("unit-converter"))
	if err != nil {
		t.Fatal(err)
	}
	neighbour := startRogue(t, d, digest, farAway)
	before := rss(t, d.Pid())
	for _, end := range rogueEnds {
		t.Run(end.trick, func(t *testing.T) {
			files := openFiles(t, d)
			end.check(t, d, digest)
			honest(t, d, neighbour)
			eventually(t, func() error {
				if now := openFiles(t, d); now > files {
					return fmt.Errorf("supervisor and launcher have %d files open, before it were %d", now, files)
				}
				return nil
			})
		})
	}
	// A window of messages, the buffers around it, and the garbage collector's
	// half: see "What a peer can make an end hold" in docs/protocol.md.
	const most = 64 << 20
	if grown := peak(t, d.Pid()) - before; grown > most {
		t.Errorf("the supervisor's memory grew by %d bytes at its highest", grown)
	}
}

func (e rogueEnd) check(t *testing.T, d *daemon.Daemon, digest string) {
	timeout := e.timeout
	if timeout == 0 {
		timeout = farAway
	}
	id := startRogue(t, d, digest, timeout)
	r, err := d.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Client.Call(t.Context(), &controlpb.CallRequest{Id: id, Name: e.trick}); err == nil && e.trick != "two replies" {
		t.Error("the call was answered")
	}
	w, err := d.Wait(t.Context(), &controlpb.WaitRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	exit := w.Exit
	if exit.Cause != e.cause || !strings.Contains(exit.Detail, e.detail) || exit.Syscall != e.syscall || exit.Fault != e.fault {
		t.Errorf("ended by %v, want %+v", exit, e)
	}
	if exit.Cause == "exited" && exit.Code != 9 {
		t.Errorf("exited with %d, want 9", exit.Code)
	}
	nothingLeft(t, id, r.Program.Pid)
}

// TestRogueStart has a rogue worker misbehave before it is sealed: the start
// fails, says why, and is our failure and not the program's.
func TestRogueStart(t *testing.T) {
	tests := []struct{ trick, want string }{
		{"crash", "panic: an early crash"},
		{"exit", "exited with code 0"},
		{"wrong-secret", "message authentication failed"},
		{"handshake-of-garbage", "handshake"},
		{"handshake-of-4-GiB", "frame length"},
		{"no-seal", "required lock missing: "},
	}
	for _, tt := range tests {
		t.Run(tt.trick, func(t *testing.T) {
			t.Parallel()
			d := serveRogue(t, tt.trick)
			cmd := exec.CommandContext(t.Context(), daemon.Program("mpsupervisor"),
				"--socket", d.Socket, "run", example("unit-converter"), "--call", "convert")
			out, _ := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); status != 125 || !strings.Contains(string(out), tt.want) {
				t.Errorf("status %d, want 125; want %q in: %s", status, tt.want, out)
			}
			all, err := d.List(t.Context(), &controlpb.ListRequest{All: true})
			if err != nil || len(all.Programs) != 1 || all.Programs[0].State != "ended" {
				t.Fatalf("%v, %v, want one program that has ended", all, err)
			}
			nothingLeft(t, all.Programs[0].Id, all.Programs[0].Pid)
		})
	}
}

// serveRogue starts a daemon with a rogue in the place of its workers.
func serveRogue(t *testing.T, early string) *daemon.Daemon {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rogue")
	build := exec.Command("go", "build", "-buildvcs=false", "-buildmode=exe", "-ldflags=-s -w -X main.earlyTrick="+early, "-o", file, "./testdata/rogue")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d, err := daemon.Start(fmt.Sprintf("worker = %q", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func startRogue(t *testing.T, d *daemon.Daemon, digest string, timeout time.Duration) string {
	t.Helper()
	res, err := d.Client.Start(t.Context(), &controlpb.StartRequest{Digest: digest,
		Limits: &controlpb.Limits{CallTimeout: durationpb.New(timeout)}})
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Log())
	}
	return res.Id
}

// honest calls a neighbour.
func honest(t *testing.T, d *daemon.Daemon, id string) {
	t.Helper()
	res, err := d.Client.Call(t.Context(), &controlpb.CallRequest{Id: id, Name: "honest"})
	if err != nil || res.GetOutputJson() != `"honest"` {
		t.Errorf("the neighbour answers %v, %v", res, err)
	}
}
