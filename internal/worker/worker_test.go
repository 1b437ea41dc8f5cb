package worker_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// These tests run the real binary as process 1 of fresh namespaces, with its
// real filter, from where the supervisor stands.

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := built(); err == nil {
		os.RemoveAll(filepath.Dir(b.root))
	}
	os.Exit(code)
}

// host is the supervisor's side of one worker.
type host struct {
	t      testing.TB
	cmd    *exec.Cmd
	conn   *ipc.Conn
	birth  wire.Birth
	stderr lockedBuffer
	sealed chan wire.Sealed
	ending chan wire.Ending

	mu    sync.Mutex
	lines []wire.LogLine
}

// lockedBuffer is what a worker has printed so far: exec.Cmd adds to it while a
// test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// HandleCall answers echo with its params, and app.
func (h *host) HandleCall(_ context.Context, body []byte, _ []*os.File) ([]byte, error) {
	method, rest, err := wire.Split(body)
	var m wire.Ask
	if err == nil {
		err = wire.Unmarshal(rest, &m)
	}
	if err != nil || method != wire.MethodAsk {
		h.t.Errorf("the worker called %d: %v", method, err)
		return nil, err
	}
	switch m.Method {
	case "echo":
		return wire.MarshalReply(&wire.Answer{Result: m.Params})
	case "app":
		return wire.MarshalReply(&wire.Answer{Result: []byte(`{"id":"com.example.test"}`)})
	}
	return wire.MarshalReply(&wire.Answer{Error: &mp.AskError{Code: mp.AskNotFound, Message: "no " + m.Method}})
}

func (h *host) HandleNotify(body []byte) {
	method, rest, err := wire.Split(body)
	switch method {
	case wire.MethodSealed:
		var m wire.Sealed
		err = wire.Unmarshal(rest, &m)
		h.sealed <- m
	case wire.MethodLog:
		var m wire.Log
		err = wire.Unmarshal(rest, &m)
		h.mu.Lock()
		h.lines = append(h.lines, m.Lines...)
		h.mu.Unlock()
	case wire.MethodEnding:
		var m wire.Ending
		err = wire.Unmarshal(rest, &m)
		h.ending <- m
	}
	if err != nil {
		h.t.Error(err)
	}
}

// variation changes what a worker is started with.
type variation struct {
	args   []string                 // the role
	image  func(name string) string // the image's file
	narrow []byte                   // of the role native, in the image's place
	filter []byte
	birth  func([]byte) []byte
}

// launch starts a worker and writes its Birth. It does not shake hands.
func launch(t testing.TB, v variation) (h *host, channel *os.File) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to make namespaces with another user's ids")
	}
	b, err := built()
	if err != nil {
		t.Fatal(err)
	}
	h = &host{t: t, sealed: make(chan wire.Sealed, 1), ending: make(chan wire.Ending, 1)}
	ours, theirs := socketpair(t)
	birthRead, birthWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	h.cmd = exec.Command("/mpworker", v.args...)
	h.cmd.Env = []string{"GOMAXPROCS=1"}
	h.cmd.ExtraFiles = []*os.File{theirs, birthRead, filterFile(t, v), otherFile(t, v, b.image)}
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = attributes(b.root)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range h.cmd.ExtraFiles {
		f.Close()
	}
	t.Cleanup(func() { ours.Close(); h.cmd.Process.Kill(); h.cmd.Wait() })
	h.writeBirth(birthWrite, v.birth)
	return h, ours
}

func (h *host) writeBirth(w *os.File, edit func([]byte) []byte) {
	defer w.Close()
	h.birth = wire.Birth{Version: wire.Version, Instance: "test", Pid: h.cmd.Process.Pid, StartTime: 1}
	rand.Read(h.birth.Secret[:])
	b, err := wire.MarshalBirth(h.birth)
	if err != nil {
		h.t.Fatal(err)
	}
	if edit != nil {
		b = edit(b)
	}
	w.Write(b) // a worker that has ended already is seen later
}

// begin starts a worker and waits until it is sealed.
func begin(t testing.TB, v variation) *host {
	t.Helper()
	h, channel := launch(t, v)
	conn, err := ipc.New(context.Background(), channel, ipc.Config{
		Initiator: true, Secret: h.birth.Secret, Prologue: h.birth.Prologue(), Handler: h,
	})
	if err != nil {
		h.cmd.Wait()
		t.Fatalf("%v; %s", err, &h.stderr)
	}
	h.conn = conn
	t.Cleanup(func() { conn.Close() })
	return h
}

func (h *host) waitSealed() wire.Sealed {
	h.t.Helper()
	select {
	case m := <-h.sealed:
		return m
	case <-h.conn.Done():
		h.cmd.Wait()
		h.t.Fatalf("the channel ended: %v; %v; %s", h.conn.Err(), h.cmd.ProcessState, &h.stderr)
	case <-time.After(30 * time.Second):
		h.t.Fatal("the worker was not sealed in 30 s")
	}
	return wire.Sealed{}
}

func socketpair(t testing.TB) (ours, theirs *os.File) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(p[0]), "ours"), os.NewFile(uintptr(p[1]), "theirs")
}

func filterFile(t testing.TB, v variation) *os.File {
	if v.filter != nil {
		return memfd(t, v.filter)
	}
	role := seccomp.RoleJS
	if len(v.args) > 0 && v.args[0] != "learn" {
		role = seccomp.Role(v.args[0])
	}
	return memfd(t, stack(t, role))
}

func stack(t testing.TB, role seccomp.Role) []byte {
	s, err := compile.Stack(role, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.Marshal()
}

// otherFile is the second file of the role's own.
func otherFile(t testing.TB, v variation, image string) *os.File {
	switch {
	case v.narrow != nil:
		return memfd(t, v.narrow)
	case slices.Contains(v.args, "native"):
		return memfd(t, stack(t, seccomp.RoleInit))
	case slices.Contains(v.args, "wasm"):
		return memfd(t, stack(t, seccomp.RoleWasmRun))
	case slices.Contains(v.args, "wasm-compile"):
		return memfd(t, nil)
	}
	return imageFile(t, v.image, image)
}

func memfd(t testing.TB, content []byte) *os.File {
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "memfd")
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f
}

func imageFile(t testing.TB, edit func(string) string, name string) *os.File {
	if edit != nil {
		name = edit(name)
	}
	if name == "" {
		return memfd(t, nil)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func attributes(root string) *syscall.SysProcAttr {
	const base, uid, setpcap = 1_813_000_000, 1000, 8
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: 4096}}
	return &syscall.SysProcAttr{
		Chroot: root,
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWCGROUP,
		UidMappings: ids, GidMappings: ids,
		Credential:  &syscall.Credential{Uid: uid, Gid: uid},
		AmbientCaps: []uintptr{setpcap},
	}
}

// boot gives the worker a program and returns its answer.
func (h *host) boot(app string) (wire.Booted, error) {
	h.t.Helper()
	h.waitSealed()
	var pkg bytes.Buffer
	if err := archive.Write(&pkg, map[string]archive.File{"app.js": {Content: []byte(app)}}); err != nil {
		h.t.Fatal(err)
	}
	f := memfd(h.t, pkg.Bytes())
	defer f.Close()
	m := &wire.Boot{AppID: "com.example.test", Entry: "app.js", UnixNano: time.Now().UnixNano(),
		Heap: 24 << 20, TurnMillis: 2000, ResultBytes: wire.MaxResult, LogRate: 200, IPCRate: 1 << 20}
	rand.Read(m.Seed[:])
	var reply wire.Booted
	return reply, h.request(context.Background(), wire.MethodBoot, m, &reply, f)
}

func (h *host) request(ctx context.Context, method wire.Method, m, reply wire.Message, files ...*os.File) error {
	body, err := wire.Marshal(method, m)
	if err != nil {
		return err
	}
	out, err := h.conn.Call(ctx, body, files...)
	if err != nil {
		return err
	}
	return wire.Unmarshal(out, reply)
}

func (h *host) call(name, input string) (wire.Reply, error) {
	var reply wire.Reply
	return reply, h.request(context.Background(), wire.MethodCall, &wire.Call{Name: name, Input: []byte(input)}, &reply)
}

// start is a worker with a program.
func start(t testing.TB, app string) *host {
	t.Helper()
	h := begin(t, variation{})
	b, err := h.boot(app)
	if err != nil || b.Error != nil {
		t.Fatalf("%v, %v; %s", err, b.Error, &h.stderr)
	}
	return h
}

// wait returns how the process ended.
func (h *host) wait() syscall.WaitStatus {
	h.t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { h.cmd.Process.Kill() })
	defer timer.Stop()
	h.cmd.Wait()
	return h.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func (h *host) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, l := range h.lines {
		b.WriteString(l.Level + " " + l.Text + "\n")
	}
	return b.String()
}
