package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor/roots"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// nativeWorker boots a native program and notes what it was told, and which
// descriptors came. It takes signals, and ends by SIGTERM as a shell does.
type nativeWorker struct {
	mu      sync.Mutex
	boot    wire.Boot
	stdio   []*os.File
	signals []int
}

func (n *nativeWorker) play(w *fakeWorker) launch.Exited {
	exit := make(chan launch.Exited, 1)
	var conn *ipc.Conn
	ready := make(chan struct{})
	conn = w.open(filesHandler(func(m wire.Method, body []byte, files []*os.File) ([]byte, error) {
		<-ready
		return n.answer(conn, exit, m, body, files)
	}))
	close(ready)
	if conn == nil {
		return launch.Exited{Code: codeChannelGone}
	}
	say(conn, wire.MethodSealed, sealed)
	select {
	case e := <-exit:
		conn.Close()
		return e
	case <-conn.Done():
		return launch.Exited{Code: codeChannelGone}
	}
}

func (n *nativeWorker) answer(conn *ipc.Conn, exit chan<- launch.Exited, m wire.Method, body []byte, files []*os.File) ([]byte, error) {
	switch m {
	case wire.MethodBoot:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.stdio = files
		if err := wire.Unmarshal(body, &n.boot); err != nil {
			return nil, err
		}
		return encoded(&wire.Booted{})
	case wire.MethodSignal:
		var s wire.Signal
		if err := wire.Unmarshal(body, &s); err != nil {
			return nil, err
		}
		n.mu.Lock()
		n.signals = append(n.signals, s.Number)
		n.mu.Unlock()
		if s.Number == int(unix.SIGTERM) {
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseSignal, Signal: s.Number})
			exit <- launch.Exited{Code: 128 + s.Number}
			select {} // the process is gone
		}
		return encoded(&wire.Done{})
	}
	return nil, errors.New("not known")
}

// filesHandler is handlerFunc for one that keeps the descriptors.
type filesHandler func(m wire.Method, body []byte, files []*os.File) ([]byte, error)

func (h filesHandler) HandleCall(_ context.Context, body []byte, files []*os.File) ([]byte, error) {
	m, rest, err := wire.Split(body)
	if err != nil {
		return nil, err
	}
	return h(m, rest, files)
}

func (filesHandler) HandleNotify([]byte) {}

func openDir(t *testing.T) *os.File {
	t.Helper()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

// threePipes are our ends and the program's of its standard input and output.
func threePipes(t *testing.T) (ours, theirs []*os.File) {
	t.Helper()
	for n := range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeAll(r, w) })
		if n == 0 {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	return ours, theirs
}

func TestNativeDirectory(t *testing.T) {
	r := newRig(t)
	n := &nativeWorker{}
	r.launcher.next(n.play)
	ours, theirs := threePipes(t)
	dir := openDir(t)
	before := openFDs(t)
	res, err := r.client.StartFiles(context.Background(), &controlpb.StartRequest{Native: &controlpb.Native{
		Root: true, Stdio: true, Args: []string{"/bin/sh", "-c", "id"}, Env: []string{"PATH=/bin", "A=b=c"}, Dir: "/tmp",
	}}, append([]*os.File{dir}, theirs...)...)
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	b := n.boot
	fmt.Fprint(n.stdio[1], "out")
	closeAll(n.stdio...)
	n.mu.Unlock()
	if b.AppID != "native:sh" || b.Native == nil || !slices.Equal(b.Native.Args, []string{"/bin/sh", "-c", "id"}) || b.Native.Dir != "/tmp" || !b.Native.Stdio || b.Native.TTY {
		t.Errorf("booted with %+v, %+v", b, b.Native)
	}
	if env := b.Native.Env; env[0] != "PATH=/bin" || !slices.Contains(env, "A=b=c") || !slices.Contains(env, "HOME=/tmp") {
		t.Errorf("variables %q", env)
	}
	closeAll(theirs...)
	if text, err := io.ReadAll(ours[1]); err != nil || string(text) != "out" {
		t.Errorf("standard output gives %q, %v: somebody else holds it open, or it is another", text, err)
	}
	r.launcher.mu.Lock()
	start := r.launcher.starts[len(r.launcher.starts)-1]
	r.launcher.mu.Unlock()
	if start.Role != launch.RoleNative || start.TTY || start.Learn || start.Only != nil {
		t.Errorf("the launcher was asked for %+v", start)
	}
	list, err := r.client.List(context.Background(), &controlpb.ListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if p := list.GetPrograms()[0]; p.GetDigest() != "" || p.GetAppId() != "native:sh" || p.GetName() != "sh" || p.GetRuntime() != "native" || p.GetVersion() != "" {
		t.Errorf("it is listed as %v", p)
	}
	r.kill(res.GetId())
	settleFDs(t, before-2) // two of the pipes' ends are closed; the client's connection stays
}

func (r *rig) kill(id string) {
	r.t.Helper()
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id}); err != nil {
		r.t.Fatal(err)
	}
}

const nativeManifest = `,"mpsupervisor":{"runtime":"native","entry":"root/bin/run","native":{"args":["-v"],"env":{"LANG":"C","X":"1"},"syscalls":["read","write"]}}`

// nativePack makes a package of a native program.
func nativePack(t *testing.T) *os.File {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "root/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"manifest.json": fmt.Sprintf(manifest, "native", nativeManifest), "root/bin/run": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f, err := bundle.Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestNativePackage(t *testing.T) {
	run := t.TempDir()
	dir, err := roots.Take(run, os.Getuid(), os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.Roots = dir })
	n := &nativeWorker{}
	r.launcher.next(n.play)
	put, err := r.client.PutPackage(context.Background(), nativePack(t))
	if err != nil {
		t.Fatal(err)
	}
	r.digest = put.GetDigest()
	first, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Native: &controlpb.Native{Args: []string{"more"}}})
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	b := n.boot
	n.mu.Unlock()
	if !slices.Equal(b.Native.Args, []string{"/bin/run", "-v", "more"}) || !slices.Contains(b.Native.Env, "LANG=C") || !slices.Contains(b.Native.Env, "X=1") || len(n.stdio) != 0 {
		t.Errorf("booted with %+v", b.Native)
	}
	r.mustStart()
	r.launcher.mu.Lock()
	start := r.launcher.starts[len(r.launcher.starts)-1]
	r.launcher.mu.Unlock()
	if !slices.Equal(start.Only, []string{"read", "write"}) {
		t.Errorf("held to %q", start.Only)
	}
	extracted, _ := filepath.Glob(filepath.Join(run, "roots/0/*/bin/run"))
	if len(extracted) != 1 {
		t.Errorf("extracted %v", extracted)
	}
	r.kill(first.GetId())
	r.stop()
	<-r.ran
	r.ran <- nil
	if left, _ := filepath.Glob(filepath.Join(run, "roots/0/*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// A root goes with its package, and a supervisor without a place for roots says so.
func TestNativeRootGoesWithPackage(t *testing.T) {
	run := t.TempDir()
	dir, err := roots.Take(run, os.Getuid(), os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.Roots = dir })
	r.launcher.next((&nativeWorker{}).play)
	put, err := r.client.PutPackage(context.Background(), nativePack(t))
	if err != nil {
		t.Fatal(err)
	}
	r.digest = put.GetDigest()
	id := r.mustStart()
	r.packages.setMax(1)
	if left, _ := filepath.Glob(filepath.Join(run, "roots/0/*")); len(left) != 1 {
		t.Errorf("while it runs there is %v", left)
	}
	r.kill(id)
	r.packages.setMax(1)
	if left, _ := filepath.Glob(filepath.Join(run, "roots/0/*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}

	bare := newRig(t)
	put, err = bare.client.PutPackage(context.Background(), nativePack(t))
	if err != nil {
		t.Fatal(err)
	}
	bare.digest = put.GetDigest()
	if _, err := bare.start(); err == nil || !strings.Contains(err.Error(), errNoRoots.Error()) {
		t.Errorf("without roots: %v", err)
	}
}

func TestNativeBadRequests(t *testing.T) {
	r := newRig(t)
	dir := openDir(t)
	_, pipes := threePipes(t)
	sh := []string{"sh"}
	all := func(root *os.File) []*os.File { return append([]*os.File{root}, pipes...) }
	before := openFDs(t)
	for _, tt := range []struct {
		name   string
		native *controlpb.Native
		digest string
		files  []*os.File
		say    string
	}{
		{"js package with arguments", &controlpb.Native{Args: sh}, r.digest, nil, `runtime "js"`},
		{"js package with stdio", &controlpb.Native{Stdio: true}, r.digest, pipes, `runtime "js"`},
		{"package and root", &controlpb.Native{Root: true, Args: sh}, r.digest, all(dir)[:1], "a program has one of them"},
		{"no program", &controlpb.Native{Root: true}, "", all(dir)[:1], "without a program"},
		{"empty program", &controlpb.Native{Root: true, Args: []string{""}}, "", all(dir)[:1], "without a program"},
		{"zero byte", &controlpb.Native{Root: true, Args: []string{"a\x00b"}}, "", all(dir)[:1], "zero byte"},
		{"too many arguments", &controlpb.Native{Root: true, Args: make([]string, 2000, 2000)}, "", all(dir)[:1], "without a program"},
		{"long arguments", &controlpb.Native{Root: true, Args: []string{strings.Repeat("x", wire.MaxArgText)}}, "", all(dir)[:1], "arguments"},
		{"variable without value", &controlpb.Native{Root: true, Args: sh, Env: []string{"A"}}, "", all(dir)[:1], "NAME=VALUE"},
		{"variable without name", &controlpb.Native{Root: true, Args: sh, Env: []string{"=x"}}, "", all(dir)[:1], "NAME=VALUE"},
		{"relative directory", &controlpb.Native{Root: true, Args: sh, Dir: "tmp"}, "", all(dir)[:1], "begin with /"},
		{"name with an escape", &controlpb.Native{Root: true, Args: sh, Name: "a\x1b"}, "", all(dir)[:1], "control characters"},
		{"root is a pipe", &controlpb.Native{Root: true, Args: sh}, "", pipes[:1], "no directory"},
		{"no root came", &controlpb.Native{Root: true, Args: sh}, "", nil, "no file descriptor"},
		{"no stdio came", &controlpb.Native{Root: true, Stdio: true, Args: sh}, "", all(dir)[:1], "one file descriptor came"},
		{"tty without stdio", &controlpb.Native{Root: true, Tty: true, Args: sh}, "", all(dir)[:1], "tty needs stdio"},
		{"tty that is a pipe", &controlpb.Native{Root: true, Stdio: true, Tty: true, Args: sh}, "", all(dir), "standard input is a pipe"},
		{"neither package nor root", &controlpb.Native{Args: sh}, "", nil, "digest"},
	} {
		_, err := r.client.StartFiles(context.Background(), &controlpb.StartRequest{Digest: tt.digest, Native: tt.native}, tt.files...)
		if !errors.Is(err, control.ErrBadRequest) || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.say)
		}
	}
	if n := len(r.list(true)); n != 0 {
		t.Errorf("%d programs are remembered", n)
	}
	settleFDs(t, before)
}

// Whatever leads out of the program's root is no standard input or output.
func TestStdioKinds(t *testing.T) {
	dir := t.TempDir()
	open := func(name string, flags int) *os.File {
		t.Helper()
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f := os.NewFile(uintptr(fd), name)
		t.Cleanup(func() { f.Close() })
		return f
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	master := open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY)
	unlock := 0
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, unlock); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave := open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY)
	_, pipes := threePipes(t)
	in, out := pipes[0], pipes[1]
	path := open(dir, unix.O_PATH)
	for _, tt := range []struct {
		name  string
		files [3]*os.File
		tty   bool
		say   string // "" accepts
	}{
		{"pipes", [3]*os.File{in, out, out}, false, ""},
		{"terminal", [3]*os.File{slave, slave, slave}, true, ""},
		{"terminal and pipes", [3]*os.File{slave, out, out}, true, ""},
		{"terminal unasked", [3]*os.File{in, slave, out}, false, "standard output is a terminal"},
		{"terminal's other end", [3]*os.File{master, out, out}, true, "standard input is a device"},
		{"directory", [3]*os.File{open(dir, unix.O_RDONLY), out, out}, false, "standard input is a directory"},
		{"path", [3]*os.File{path, out, out}, false, "O_PATH"},
		{"file", [3]*os.File{in, open(filepath.Join(dir, "f"), unix.O_CREAT|unix.O_WRONLY), out}, false, "standard output is a file"},
		{"named FIFO", [3]*os.File{open(filepath.Join(dir, "fifo"), unix.O_RDONLY), out, out}, false, "FIFO with a name"},
		{"device", [3]*os.File{open("/dev/null", unix.O_RDONLY), out, out}, false, "is a device"},
		{"socket", [3]*os.File{in, out, socket}, false, "standard error is a socket"},
		{"wrong way", [3]*os.File{out, out, out}, false, "standard input is open for the other direction"},
		{"wrong way out", [3]*os.File{in, in, out}, false, "standard output is open for the other direction"},
	} {
		err := checkStdio(tt.files[:], tt.tty)
		if tt.say == "" && err != nil || tt.say != "" && (!errors.Is(err, control.ErrBadRequest) || !strings.Contains(err.Error(), tt.say)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.say)
		}
	}
}

func TestSignal(t *testing.T) {
	r := newRig(t)
	js := r.mustStart()
	n := &nativeWorker{}
	r.launcher.next(n.play)
	res, err := r.client.StartFiles(context.Background(), &controlpb.StartRequest{Native: &controlpb.Native{Root: true, Args: []string{"sh"}}}, openDir(t))
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	signal := func(id string, n int32) error {
		_, err := r.client.Signal(context.Background(), &controlpb.SignalRequest{Id: id, Number: n})
		return err
	}
	for _, bad := range []int32{0, -1, 32, 1000} {
		if err := signal(id, bad); !errors.Is(err, control.ErrBadRequest) {
			t.Errorf("signal %d: %v", bad, err)
		}
	}
	if err := signal(js, 15); !errors.Is(err, control.ErrBadRequest) || !strings.Contains(err.Error(), "js") {
		t.Errorf("to a js program: %v", err)
	}
	if err := errors.Join(signal(id, 10), signal(id, 15)); err != nil {
		t.Error(err)
	}
	if e := r.exit(id); e.Cause != mp.CauseSignal || e.Signal != 15 || e.Status() != 143 {
		t.Errorf("ended: %v", e)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.signals, []int{10, 15}) {
		t.Errorf("signals %v", n.signals)
	}
	if err := signal(id, 15); !errors.Is(err, mp.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	r.alive(js)
}

func TestReadableName(t *testing.T) {
	for in, want := range map[string]string{"sh": "sh", "a\x00\nb": "a__b", "\xff": "_", strings.Repeat("é", 90): strings.Repeat("é", 50)} {
		if got := readable(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
