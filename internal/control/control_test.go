package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// TestMain lets the test binary be started again as a client under another
// user: see callAs.
func TestMain(m *testing.M) {
	if socket := os.Getenv("CONTROL_TEST_SOCKET"); socket != "" {
		os.Exit(callInfo(socket))
	}
	os.Exit(m.Run())
}

// callInfo makes one call and prints what came of it, for callAs.
func callInfo(socket string) int {
	_, err := Dial(socket).Info(context.Background(), &controlpb.InfoRequest{})
	out := result{Denied: errors.Is(err, ErrDenied)}
	if err != nil {
		out.Message = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(out)
	return 0
}

type result struct {
	Denied  bool
	Message string
}

// callAs calls Info as another user, in a process of its own.
func callAs(t *testing.T, exe, socket string, cred syscall.Credential) result {
	t.Helper()
	cmd := exec.Command(exe)
	cmd.Env = []string{"CONTROL_TEST_SOCKET=" + socket, "GORACE=atexit_sleep_ms=0"}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &cred}
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot call as %+v: %v", cred, err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return r
}

// ownBinary copies the test binary to where any user may run it.
func ownBinary(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: starts processes under other users")
	}
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := openDir(t)
	exe := filepath.Join(dir, "control.test")
	if err := os.WriteFile(exe, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

// openDir is a directory that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "control-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// handler is a service whose methods are set by each test.
type handler struct {
	controlpbconnect.UnimplementedControlHandler
	put   func(context.Context) error
	start func(context.Context, *controlpb.StartRequest) error
	call  func(*controlpb.CallRequest) error
	logs  func(*controlpb.LogsRequest) error
	wait  func(context.Context)
}

func (h *handler) Start(ctx context.Context, r *controlpb.StartRequest) (*controlpb.StartResponse, error) {
	return &controlpb.StartResponse{}, h.start(ctx, r)
}

func (h *handler) Info(context.Context, *controlpb.InfoRequest) (*controlpb.InfoResponse, error) {
	return &controlpb.InfoResponse{}, nil
}

func (h *handler) PutPackage(ctx context.Context, _ *controlpb.PutPackageRequest) (*controlpb.PutPackageResponse, error) {
	return &controlpb.PutPackageResponse{}, h.put(ctx)
}

func (h *handler) Call(_ context.Context, r *controlpb.CallRequest) (*controlpb.CallResponse, error) {
	return &controlpb.CallResponse{}, h.call(r)
}

func (h *handler) Logs(_ context.Context, r *controlpb.LogsRequest, _ *connect.ServerStream[controlpb.LogLine]) error {
	return h.logs(r)
}

func (h *handler) Wait(ctx context.Context, _ *controlpb.WaitRequest) (*controlpb.WaitResponse, error) {
	h.wait(ctx)
	return &controlpb.WaitResponse{}, nil
}

// refusals records what was refused.
type refusals struct {
	mu    sync.Mutex
	peers []Peer
}

func (r *refusals) add(p Peer, _ string, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peers = append(r.peers, p)
}

func (r *refusals) last() Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.peers) == 0 {
		return Peer{}
	}
	return r.peers[len(r.peers)-1]
}

// serve starts a server on an abstract socket, which has no file mode: only
// credentials decide.
func serve(t *testing.T, h controlpbconnect.ControlHandler, access Access) (socket string, s *Server, r *refusals) {
	t.Helper()
	socket = fmt.Sprintf("@control-test-%d-%s", os.Getpid(), t.Name())
	l, err := Listen(socket, -1)
	if err != nil {
		t.Fatal(err)
	}
	r = &refusals{}
	s = NewServer(ServerConfig{Handler: h, Access: access, Refused: r.add, Log: slog.New(slog.DiscardHandler)})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return socket, s, r
}

func TestAccess(t *testing.T) {
	exe := ownBinary(t)
	socket, _, refused := serve(t, &handler{}, Access{Group: "mpsupervisor", GID: 4242, Owners: []uint32{5001}})
	many := make([]uint32, 100) // more than one read of the groups takes
	for i := range many {
		many[i] = uint32(6000 + i)
	}
	tests := []struct {
		name string
		cred syscall.Credential
		ok   bool
	}{
		{"root", syscall.Credential{Uid: 0, Gid: 0}, true},
		{"root in odd groups", syscall.Credential{Uid: 0, Gid: 7}, true},
		{"owner", syscall.Credential{Uid: 5001, Gid: 5001}, true},
		{"group by gid", syscall.Credential{Uid: 5002, Gid: 4242}, true},
		{"group by supplementary", syscall.Credential{Uid: 5002, Gid: 5002, Groups: []uint32{10, 4242}}, true},
		{"group as the last of many", syscall.Credential{Uid: 5002, Gid: 5002, Groups: append(many, 4242)}, true},
		{"stranger", syscall.Credential{Uid: 5002, Gid: 5002}, false},
		{"stranger in root's group", syscall.Credential{Uid: 5002, Gid: 0}, false},
		{"stranger in many groups", syscall.Credential{Uid: 5002, Gid: 5002, Groups: many}, false},
		{"stranger whose uid is the group's gid", syscall.Credential{Uid: 4242, Gid: 5002}, false},
		{"stranger whose gid is an owner's uid", syscall.Credential{Uid: 5002, Gid: 5001}, false},
		{"nobody", syscall.Credential{Uid: 65534, Gid: 65534}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := callAs(t, exe, socket, tt.cred)
			if got.Denied == tt.ok {
				t.Fatalf("denied %v, want %v (%s)", got.Denied, !tt.ok, got.Message)
			}
			if tt.ok {
				if got.Message != "" {
					t.Errorf("error %q, want none", got.Message)
				}
				return
			}
			for _, want := range []string{"operator role", "root", "group mpsupervisor"} {
				if !strings.Contains(got.Message, want) {
					t.Errorf("refusal %q does not say %q", got.Message, want)
				}
			}
			if p := refused.last(); p.UID != tt.cred.Uid || p.GID != tt.cred.Gid || p.PID == 0 {
				t.Errorf("the refusal told was about %+v", p)
			}
		})
	}
}

func TestSetAccess(t *testing.T) {
	exe := ownBinary(t)
	socket, s, _ := serve(t, &handler{}, Access{})
	cred := syscall.Credential{Uid: 5002, Gid: 4242}
	if !callAs(t, exe, socket, cred).Denied {
		t.Error("a stranger got in")
	}
	s.SetAccess(Access{Group: "g", GID: 4242})
	if r := callAs(t, exe, socket, cred); r.Denied {
		t.Error("an operator was refused after the change:", r.Message)
	}
}

// Strangers cannot take the connections that operators need.
func TestStrangersBound(t *testing.T) {
	s := slots{max: 4, strangers: 2}
	var held []func()
	for range 2 {
		held = append(held, s.take(true))
	}
	if s.take(true) != nil {
		t.Error("a third stranger got in")
	}
	for range 2 {
		if s.take(false) == nil {
			t.Error("an operator did not get in")
		}
	}
	if s.take(false) != nil {
		t.Error("more than the maximum got in")
	}
	held[0]()
	if s.take(true) == nil {
		t.Error("a slot that was given back is not free")
	}
}

func TestTooManyConnections(t *testing.T) {
	socket, s, _ := serve(t, &handler{}, Access{})
	s.slots.mu.Lock()
	s.slots.max = 1
	s.slots.mu.Unlock()
	block, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer block.Close()
	// The answer of the other connection shows that the first was admitted.
	if _, err := block.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := block.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_, err = Dial(socket).Info(context.Background(), &controlpb.InfoRequest{})
	if err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("second connection: %v", err)
	}
}

func TestPeerHangsUp(t *testing.T) {
	gone := make(chan struct{})
	h := &handler{wait: func(ctx context.Context) { <-ctx.Done(); close(gone) }}
	socket, _, _ := serve(t, h, Access{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		time.Sleep(10 * time.Millisecond)
		cancel()
	}()
	_, err := Dial(socket).Wait(ctx, &controlpb.WaitRequest{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	<-gone // a handler that is not told never ends: the test's deadline tells
}

func TestLargeRequest(t *testing.T) {
	h := &handler{call: func(*controlpb.CallRequest) error { return nil }}
	socket, _, _ := serve(t, h, Access{})
	c := Dial(socket)
	for _, tt := range []struct {
		size int
		ok   bool
	}{{1 << 20, true}, {3 << 20, false}} {
		_, err := c.Call(context.Background(), &controlpb.CallRequest{InputJson: strings.Repeat("1", tt.size)})
		if (err == nil) != tt.ok {
			t.Errorf("%d bytes: %v", tt.size, err)
		}
	}
}

// curl and browsers send JSON.
func TestPlainJSON(t *testing.T) {
	socket, _, _ := serve(t, &handler{}, Access{})
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", controlpbconnect.ControlInfoProcedure)
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		t.Errorf("answer %q, %v", answer, err)
	}
}
