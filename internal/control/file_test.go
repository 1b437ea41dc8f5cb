package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// openFiles counts this process's descriptors.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// settle waits until a server's goroutines have closed what they hold.
func settle(t *testing.T, want int) {
	t.Helper()
	for range 2000 {
		if openFiles(t) <= want {
			return
		}
		http.DefaultClient.CloseIdleConnections()
		unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
	}
	t.Errorf("%d descriptors are open, there were %d before", openFiles(t), want)
}

func memfd(t *testing.T, text string) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("package", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "package")
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return f
}

// takeText is a PutPackage that reads what came.
func takeText(ctx context.Context, got *string) error {
	f, err := TakeFile(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	text := make([]byte, 100)
	n, err := f.ReadAt(text, 0)
	*got = string(text[:n])
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func TestPutPackage(t *testing.T) {
	var got string
	h := &handler{put: func(ctx context.Context) error { return takeText(ctx, &got) }}
	socket, _, _ := serve(t, h, Access{})
	f := memfd(t, "a package")
	before := openFiles(t)
	for range 20 {
		got = ""
		if _, err := Dial(socket).PutPackage(context.Background(), f); err != nil {
			t.Fatal(err)
		}
		if got != "a package" {
			t.Fatalf("the server read %q", got)
		}
	}
	settle(t, before)
}

// rawPut sends a PutPackage request with the descriptors beside its first byte.
func rawPut(t *testing.T, socket string, fds ...int) string {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", controlpbconnect.ControlPutPackageProcedure)
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if _, _, err := conn.(*net.UnixConn).WriteMsgUnix([]byte(request), oob, nil); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestNumberOfFiles(t *testing.T) {
	var got string
	h := &handler{put: func(ctx context.Context) error { return takeText(ctx, &got) }}
	socket, _, _ := serve(t, h, Access{})
	f := memfd(t, "one")
	fd := int(f.Fd())
	many := make([]int, 200)
	for i := range many {
		many[i] = fd
	}
	before := openFiles(t)
	for _, tt := range []struct {
		fds  []int
		want string
	}{
		{nil, "no file descriptor"},
		{[]int{fd}, "200 OK"},
		{[]int{fd, fd}, "2 file descriptors"},
		{many[:maxFiles], "4 file descriptors"},
		{many[:maxFiles+1], "more than 4"},
		{many, "more than 4"},
	} {
		if answer := rawPut(t, socket, tt.fds...); !strings.Contains(answer, tt.want) {
			t.Errorf("%d descriptors: answer %q, want %q", len(tt.fds), answer, tt.want)
		}
		settle(t, before)
	}
}

// A descriptor that nobody asked for is closed with its connection.
func TestUnwantedFile(t *testing.T) {
	socket, _, _ := serve(t, &handler{put: func(context.Context) error { return nil }}, Access{})
	f := memfd(t, "unwanted")
	before := openFiles(t)
	rawPut(t, socket, int(f.Fd()))
	settle(t, before)
}

func TestFileOverHTTP2(t *testing.T) {
	var got string
	h := &handler{put: func(ctx context.Context) error {
		if _, ok := PeerFrom(ctx); !ok {
			return errors.New("the peer is not known")
		}
		return takeText(ctx, &got)
	}}
	socket, _, _ := serve(t, h, Access{})
	f := memfd(t, "two")
	before := openFiles(t)
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			conn, err := net.Dial("unix", socket)
			if err != nil {
				return nil, err
			}
			return &fileConn{UnixConn: conn.(*net.UnixConn), files: []*os.File{f}}, nil
		},
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	client := controlpbconnect.NewControlClient(&http.Client{Transport: transport}, "http://x", connect.WithGRPC())
	_, err := client.PutPackage(context.Background(), &controlpb.PutPackageRequest{})
	if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "HTTP/1.1") {
		t.Errorf("error %v, want one that names HTTP/1.1", err)
	}
	if _, err := client.Info(context.Background(), &controlpb.InfoRequest{}); err != nil {
		t.Errorf("gRPC over HTTP/2: %v", err)
	}
	transport.CloseIdleConnections()
	settle(t, before)
}

// The caller's file is only lent: a request that is refused leaves it open.
func TestFileStaysTheCallers(t *testing.T) {
	h := &handler{put: func(context.Context) error { return ErrBusy }}
	socket, _, _ := serve(t, h, Access{})
	f := memfd(t, "mine")
	if _, err := Dial(socket).PutPackage(context.Background(), f); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want busy", err)
	}
	text := make([]byte, 4)
	if _, err := f.ReadAt(text, 0); err != nil || !bytes.Equal(text, []byte("mine")) {
		t.Errorf("read %q, %v", text, err)
	}
}

// A start brings its descriptors in order, and exactly as many as it announces.
func TestStartFiles(t *testing.T) {
	read := make(chan string, 1)
	h := &handler{start: func(ctx context.Context, r *controlpb.StartRequest) error {
		files, err := TakeFiles(ctx, len(r.GetNative().GetArgs()))
		defer closeFiles(files)
		text := make([]byte, len(files))
		for i, f := range files {
			f.ReadAt(text[i:i+1], 0)
		}
		read <- string(text)
		return err
	}}
	socket, _, _ := serve(t, h, Access{})
	files := []*os.File{memfd(t, "a"), memfd(t, "b"), memfd(t, "c"), memfd(t, "d"), memfd(t, "e")}
	before := openFiles(t)
	for _, tt := range []struct {
		want, sent int
		say        string
	}{
		{1, 1, ""}, {3, 3, ""}, {4, 4, ""},
		{1, 0, "no file descriptor"},
		{4, 3, "3 file descriptors came with the request, which takes 4"},
		{3, 4, "4 file descriptors came with the request, which takes 3"},
		{4, 1, "one file descriptor came with the request, which takes 4"},
		{4, 5, "more than 4"},
	} {
		req := &controlpb.StartRequest{Native: &controlpb.Native{Args: make([]string, tt.want)}}
		_, err := Dial(socket).StartFiles(context.Background(), req, files[:tt.sent]...)
		got := <-read
		switch {
		case tt.say == "" && (err != nil || got != "abcd"[:tt.want]):
			t.Errorf("%d descriptors: read %q, %v", tt.sent, got, err)
		case tt.say != "" && (!errors.Is(err, ErrBadRequest) || !strings.Contains(err.Error(), tt.say)):
			t.Errorf("%d descriptors for %d: error %v, want %q", tt.sent, tt.want, err, tt.say)
		}
		settle(t, before)
	}
}

// What a request brought and did not take is closed with its answer, though the
// connection goes on, and is not the next request's to take.
func TestLeftoverFile(t *testing.T) {
	var got string
	h := &handler{
		start: func(context.Context, *controlpb.StartRequest) error { return nil },
		put:   func(ctx context.Context) error { return takeText(ctx, &got) },
	}
	socket, _, _ := serve(t, h, Access{})
	f := memfd(t, "left")
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	ask := func(procedure string, oob []byte) string {
		text := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", procedure)
		if _, _, err := conn.(*net.UnixConn).WriteMsgUnix([]byte(text), oob, nil); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.Status + string(body)
	}
	ask(controlpbconnect.ControlInfoProcedure, nil)
	before := openFiles(t)
	if answer := ask(controlpbconnect.ControlStartProcedure, unix.UnixRights(int(f.Fd()))); !strings.Contains(answer, "200") {
		t.Errorf("answer %q", answer)
	}
	settle(t, before)
	if answer := ask(controlpbconnect.ControlPutPackageProcedure, nil); !strings.Contains(answer, "no file descriptor") {
		t.Errorf("answer %q", answer)
	}
}
