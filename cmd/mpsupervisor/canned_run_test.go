package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// plays is a supervisor with one program, which a Go function plays.
type plays struct {
	canned
	runtime string // of any package
	learned *controlpb.LearnedResponse
	program func(p *played) *controlpb.Exit

	inspected func() // called when the command takes signals for its program, with -v

	refused int32 // a signal that a frozen program would not get
	signals chan int32
	end     chan *controlpb.Exit
	mu      sync.Mutex
	started *controlpb.StartRequest
	root    string // where the root directory is
	killed  bool
}

// played is the program's side.
type played struct {
	in        io.Reader
	out, errs *os.File
	signals   <-chan int32
}

const playedID = "abcdefghijkm"

func (*plays) Info(context.Context, *controlpb.InfoRequest) (*controlpb.InfoResponse, error) {
	return &controlpb.InfoResponse{}, nil
}

func (s *plays) PutPackage(ctx context.Context, _ *controlpb.PutPackageRequest) (*controlpb.PutPackageResponse, error) {
	f, err := control.TakeFile(ctx)
	if err != nil {
		return nil, err
	}
	f.Close()
	return &controlpb.PutPackageResponse{Digest: mp.Digest{}.String(), Runtime: s.runtime,
		Warnings: []*controlpb.Warning{{Member: evil, Line: 3, Message: evil}}}, nil
}

func (s *plays) Start(ctx context.Context, r *controlpb.StartRequest) (*controlpb.StartResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = r
	n := 0
	if r.GetNative().GetRoot() {
		n++
	}
	if r.GetNative().GetStdio() {
		n += 3
	}
	if n == 0 {
		return &controlpb.StartResponse{Id: playedID, Exports: []string{"f"}}, nil
	}
	files, err := control.TakeFiles(ctx, n)
	if err != nil {
		return nil, err
	}
	if r.GetNative().GetRoot() {
		s.root, _ = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", files[0].Fd()))
		files[0].Close()
		files = files[1:]
	}
	go func() {
		s.end <- s.program(&played{files[0], files[1], files[2], s.signals})
		for _, f := range files {
			f.Close()
		}
	}()
	return &controlpb.StartResponse{Id: playedID}, nil
}

func (s *plays) Wait(ctx context.Context, _ *controlpb.WaitRequest) (*controlpb.WaitResponse, error) {
	select {
	case e := <-s.end:
		return &controlpb.WaitResponse{Exit: e}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *plays) Inspect(context.Context, *controlpb.InspectRequest) (*controlpb.InspectResponse, error) {
	s.inspected()
	return &controlpb.InspectResponse{}, nil
}

func (s *plays) Signal(_ context.Context, r *controlpb.SignalRequest) (*controlpb.SignalResponse, error) {
	if r.GetNumber() == s.refused {
		return nil, fmt.Errorf("%w: thaw it first", mp.ErrFrozen)
	}
	s.signals <- r.GetNumber()
	return &controlpb.SignalResponse{}, nil
}

func (s *plays) Kill(context.Context, *controlpb.KillRequest) (*controlpb.KillResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed = true
	return &controlpb.KillResponse{Exit: &controlpb.Exit{Cause: "killed by operator"}}, nil
}

func (*plays) Logs(context.Context, *controlpb.LogsRequest, *connect.ServerStream[controlpb.LogLine]) error {
	return nil
}

func (s *plays) Learned(context.Context, *controlpb.LearnedRequest) (*controlpb.LearnedResponse, error) {
	return s.learned, nil
}

// serve serves s on a socket of its own and returns its path.
func (s *plays) serve(t *testing.T) string {
	t.Helper()
	s.signals, s.end = make(chan int32, 8), make(chan *controlpb.Exit, 1)
	socket := filepath.Join(t.TempDir(), "control.sock")
	l, err := control.Listen(socket, -1)
	if err != nil {
		t.Fatal(err)
	}
	server := control.NewServer(control.ServerConfig{Handler: s, Access: control.Access{Owners: []uint32{uint32(os.Getuid())}},
		Log: slog.New(slog.DiscardHandler)})
	go server.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(ctx)
	})
	return socket
}

// request is the latest Start.
func (s *plays) request() *controlpb.StartRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

func exited(code int32) *controlpb.Exit {
	return &controlpb.Exit{Cause: "exited", Code: code, Status: code}
}

func bySignalNumber(n int32) *controlpb.Exit {
	return &controlpb.Exit{Cause: "signal", Signal: n, Status: 128 + n}
}

func TestNativeStreams(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	s := &plays{program: func(p *played) *controlpb.Exit {
		io.Copy(p.out, p.in) // returns at the end of the input
		io.WriteString(p.errs, "said\n")
		return exited(7)
	}}
	input := strings.Repeat("\x00\xff\r\n0123456789", 100<<10) // more than any pipe holds
	o := invoke(s.serve(t), input, "run", "--native", "--root", link, "-w", "/tmp", "-e", "A=b=c", "--memory", "20M", "--", "/bin/cat", "-n", "--memory")
	if o.status != 7 || o.out != input || o.err != "said\n" {
		t.Errorf("status %d, %d of %d bytes, errors %q", o.status, len(o.out), len(input), o.err)
	}
	n := s.request().GetNative()
	if s.root != dir || !n.Root || !n.Stdio || n.Tty || fmt.Sprintf("%q %q %q", n.Args, n.Env, n.Dir) != `["/bin/cat" "-n" "--memory"] ["A=b=c"] "/tmp"` {
		t.Errorf("root %s, %v", s.root, n)
	}
	if r := s.request(); !r.Attached || r.Learn || r.Limits.GetMemoryBytes() != 20<<20 {
		t.Errorf("%v", r)
	}
}

func TestNativeEnds(t *testing.T) {
	for _, tt := range []struct {
		exit   *controlpb.Exit
		status int
		says   string
	}{
		{exited(0), 0, ""},
		{exited(255), 255, ""},
		{bySignalNumber(15), 143, ""},
		{bySignalNumber(13), 141, ""},
		{bySignalNumber(9), 137, "mpsupervisor: the program ended: signal 9\n"},
		{&controlpb.Exit{Cause: "memory violation", Signal: 11, Fault: "null page"}, 139, "mpsupervisor: the program ended: memory violation: null page\n"},
		{&controlpb.Exit{Cause: "exited", Code: 127, Detail: "cannot execute /bin/x: " + evil}, 127, "mpsupervisor: cannot execute /bin/x: " + safe + "\n"},
		{&controlpb.Exit{Cause: "exited", Code: 126, Detail: "it is a directory"}, 126, "mpsupervisor: it is a directory\n"},
		{&controlpb.Exit{Cause: "memory limit"}, 137, "mpsupervisor: the program ended: memory limit\n"},
	} {
		s := &plays{program: func(*played) *controlpb.Exit { return tt.exit }}
		o := invoke(s.serve(t), "", "run", "--native", "--root", t.TempDir(), "--", "/bin/x")
		if o.status != tt.status || o.err != tt.says || o.out != "" {
			t.Errorf("%v: %+v, want %d %q", tt.exit, o, tt.status, tt.says)
		}
	}
}

// TestOutputBeforeEnd holds that what a program wrote just before its end is
// written before the command ends, and that what holds the pipe open for longer
// than the program lives does not hold the command up for ever.
func TestOutputBeforeEnd(t *testing.T) {
	var held *os.File
	s := &plays{program: func(p *played) *controlpb.Exit {
		fd, err := unix.Dup(int(p.out.Fd()))
		if err != nil {
			t.Error(err)
		}
		held = os.NewFile(uintptr(fd), "held")
		io.WriteString(p.out, "last")
		return exited(0)
	}}
	o := invoke(s.serve(t), "", "run", "--native", "--root", t.TempDir(), "--", "/bin/x")
	if o.status != 0 || o.out != "last" {
		t.Errorf("%+v", o)
	}
	held.Close()
}

// brokenPipe is an output that nobody reads.
type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

// TestNobodyReads holds that a program whose output nobody takes hears of it as
// from any pipe, and that other failures are told.
func TestNobodyReads(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		says   string
	}{{unix.EPIPE, 141, ""}, {unix.ENOSPC, 125, "mpsupervisor: cannot write the program's standard output: no space left on device\n"}} {
		s := &plays{program: func(p *played) *controlpb.Exit {
			for {
				if _, err := p.out.WriteString("more\n"); err != nil {
					return bySignalNumber(13)
				}
			}
		}}
		var errs strings.Builder
		status := execute(t.Context(), []string{"--socket", s.serve(t), "run", "--native", "--root", t.TempDir(), "--", "/bin/yes"},
			strings.NewReader(""), brokenPipe{tt.err}, &errs)
		if status != tt.status || errs.String() != tt.says {
			t.Errorf("%v: status %d, %q", tt.err, status, &errs)
		}
	}
}

// kill sends a signal to this very process, which is the command.
func kill(sig unix.Signal) { unix.Kill(os.Getpid(), sig) }

func TestSignalsGoOn(t *testing.T) {
	var got []int32
	s := &plays{inspected: func() { kill(unix.SIGHUP) }, program: func(p *played) *controlpb.Exit {
		for sig := range p.signals {
			got = append(got, sig)
			if len(got) == 4 {
				break
			}
			kill([]unix.Signal{unix.SIGUSR2, unix.SIGQUIT, unix.SIGTERM}[len(got)-1])
		}
		return bySignalNumber(15)
	}}
	o := invoke(s.serve(t), "", "run", "-v", "--native", "--root", t.TempDir(), "--", "/bin/x")
	if o.status != 143 || fmt.Sprint(got) != "[1 12 3 15]" || !strings.HasPrefix(o.err, "sealed with 0 locks") {
		t.Errorf("%+v, signals %v", o, got)
	}
}

// TestLostSignals holds that a signal which does not reach the program is told.
func TestLostSignals(t *testing.T) {
	s := &plays{refused: int32(unix.SIGHUP), inspected: func() { kill(unix.SIGHUP); kill(unix.SIGUSR2) }, program: func(p *played) *controlpb.Exit {
		return bySignalNumber(<-p.signals)
	}}
	o := invoke(s.serve(t), "", "run", "-v", "--native", "--root", t.TempDir(), "--", "/bin/x")
	if o.status != 140 || !strings.Contains(o.err, "mpsupervisor: cannot pass on SIGHUP: mini-program is frozen: thaw it first\n") {
		t.Errorf("%+v", o)
	}
}

// TestInsistence holds that a second SIGINT soon after the first ends a program
// that does not heed it.
func TestInsistence(t *testing.T) {
	s := &plays{inspected: func() { kill(unix.SIGINT) }, program: func(p *played) *controlpb.Exit {
		<-p.signals
		kill(unix.SIGINT)
		select {} // it does not heed it
	}}
	o := invoke(s.serve(t), "", "run", "-v", "--native", "--root", t.TempDir(), "--", "/bin/x")
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.status != 130 || !s.killed || len(s.signals) > 0 {
		t.Errorf("%+v, killed %v", o, s.killed)
	}
}

func TestInsists(t *testing.T) {
	now := time.Unix(1000, 0)
	s := &signals{now: func() time.Time { return now }}
	var last time.Time
	for i, step := range []struct {
		sig   unix.Signal
		after time.Duration
		want  bool
	}{
		{unix.SIGINT, 0, false},
		{unix.SIGHUP, 0, false},
		{unix.SIGINT, insistence, false},
		{unix.SIGTERM, insistence - 1, true},
	} {
		now = now.Add(step.after)
		if got := s.insists(step.sig, &last); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

const playedManifest = `{"app_id": "com.example.demo", "name": "Demo", "version": {"name": "1", "code": 1}, "platform_version": {"min_code": 1}, "icons": [{"src": "i.svg"}], "pages": ["app"]}
`

func playedPackage(t *testing.T, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPackages holds which runtime is given what.
func TestPackages(t *testing.T) {
	echo := func(p *played) *controlpb.Exit { io.Copy(p.out, p.in); return exited(0) }
	dir := playedPackage(t, playedManifest)
	for _, tt := range []struct {
		runtime string
		args    []string
		status  int
		out     string
		says    string
	}{
		{"native", []string{dir}, 0, "input", ""},
		{"native", []string{dir, "--env", "A=b", "--", "-x", "y"}, 0, "input", ""},
		{"native", []string{dir, "--call", "f", "--input", "[1]"}, 0, `{"name":"f","input":[1],"rows":[1,2]}` + "\n", ""},
		{"js", []string{dir, "--call", "f"}, 0, `{"name":"f","input":null,"rows":[1,2]}` + "\n", ""},
		{"js", []string{dir, "--", "x"}, 125, "", `it has the runtime "js": arguments, --tty, --env and --workdir are for native programs`},
		{"js", []string{dir, "-t"}, 125, "", "are for native programs"},
		{"js", []string{dir, "-w", "/x", "--call", "f"}, 125, "", "are for native programs"},
	} {
		s := &plays{runtime: tt.runtime, program: echo}
		o := invoke(s.serve(t), "input", append([]string{"run"}, tt.args...)...)
		if o.status != tt.status || o.out != tt.out || !strings.Contains(o.err, tt.says) {
			t.Errorf("%s %v: %+v", tt.runtime, tt.args, o)
		}
		if !strings.Contains(o.err, "warning: manifest.json:3: "+safe) {
			t.Errorf("no warning: %q", o.err)
		}
		expectTame(t, o)
		if n := s.request().GetNative(); tt.status == 0 && (n != nil) != (tt.runtime == "native") || n.GetRoot() || n.GetStdio() != (tt.out == "input") {
			t.Errorf("%s %v: %v", tt.runtime, tt.args, n)
		}
	}
}

func TestLearn(t *testing.T) {
	learned := &controlpb.LearnedResponse{Complete: true,
		Syscalls:     []*controlpb.LearnedCall{{Syscall: "openat", Count: 12, Action: "allow"}, {Syscall: "socket", Count: 1, Action: "errno EPERM"}},
		HostCalls:    []string{"log"},
		Domains:      []string{evil},
		ManifestJson: `{"runtime":"native","entry":"root/x","native":{"syscalls":["openat"]},"limits":{"memory":"16M"}}`,
	}
	s := &plays{runtime: "native", learned: learned, program: func(*played) *controlpb.Exit { return exited(3) }}
	socket := s.serve(t)
	o := invoke(socket, "", "run", "--learn", "--native", "--root", t.TempDir(), "--", "/x")
	for _, want := range []string{"SYSTEM CALL  ", "  12     allow\n", "  1      errno EPERM\n", "(host call) log  ", "(domain) " + safe,
		"the least that a manifest must allow for this:\n\"mpsupervisor\": {\n  \"runtime\": \"native\",\n"} {
		if !strings.Contains(o.err, want) {
			t.Errorf("no %q in\n%s", want, o.err)
		}
	}
	if o.status != 3 || o.out != "" || !s.request().Learn {
		t.Errorf("%+v", o)
	}
	expectTame(t, o)
	o = invoke(socket, "", "run", "--learn", "-o", "json", "--native", "--root", t.TempDir(), "--", "/x")
	if want := `{"complete":true,"syscalls":[{"syscall":"openat","count":12,"action":"allow"},{"syscall":"socket","count":1,"action":"errno EPERM"}],"host_calls":["log"],"domains":["a\u001b[2J`; o.status != 3 || !strings.HasPrefix(o.out, want) || o.err != "" {
		t.Errorf("%+v", o)
	}
	expectTame(t, o)

	dir := playedPackage(t, strings.Replace(playedManifest, "\n", "", 1)+"\n")
	o = invoke(socket, "", "run", "--learn", dir)
	if want := "--- " + dir + "/manifest.json\n+++ " + dir + "/manifest.json\n@@ -1,1 +1,12 @@\n-{\"app_id\""; o.status != 3 || !strings.Contains(o.err, want) {
		t.Errorf("status %d\n%s\nwant\n%s", o.status, o.err, want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil || string(b) != playedManifest {
		t.Errorf("the manifest was touched: %v", err)
	}
}
