package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// Client calls a supervisor. Its errors are *Error, or wrap ErrNoDaemon or
// ErrDenied when the socket could not be reached.
type Client struct {
	controlpbconnect.ControlClient
	socket    string
	transport *http.Transport
}

// Dial makes a client for the daemon on socket: a path, or "@" and the name of
// an abstract socket. Nothing is connected before the first call.
func Dial(socket string) *Client {
	c := &Client{socket: socket}
	c.transport = &http.Transport{DialContext: c.dial}
	c.ControlClient = c.over(c.transport)
	return c
}

// over makes the generated client on a transport. The host name is only what
// HTTP/1.1 wants to see.
func (c *Client) over(t *http.Transport) controlpbconnect.ControlClient {
	return controlpbconnect.NewControlClient(&http.Client{Transport: t}, "http://mpsupervisor",
		connect.WithInterceptors(patience(questionTimeout), translate(decode)),
		connect.WithReadMaxBytes(maxMessage),
		connect.WithAcceptCompression("gzip", nil, nil), // nothing travels further than to a process beside this one
	)
}

// Close closes idle connections. Streams under way end with their contexts.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// PutPackage hands the supervisor a package in a sealed memory file. It keeps
// no hold on the file; the caller closes it.
func (c *Client) PutPackage(ctx context.Context, file *os.File) (*controlpb.PutPackageResponse, error) {
	once, done := c.carrying(file)
	defer done()
	return once.PutPackage(ctx, &controlpb.PutPackageRequest{})
}

// StartFiles is Start with the descriptors that the request announces: the root
// directory if Native.Root is set, then standard input, output and error if
// Native.Stdio is. They stay the caller's to close.
func (c *Client) StartFiles(ctx context.Context, req *controlpb.StartRequest, files ...*os.File) (*controlpb.StartResponse, error) {
	once, done := c.carrying(files...)
	defer done()
	return once.Start(ctx, req)
}

// carrying makes a client for one request that takes descriptors along, on a
// connection of its own.
func (c *Client) carrying(files ...*os.File) (_ controlpbconnect.ControlClient, done func()) {
	t := &http.Transport{
		DisableKeepAlives: true, // the descriptors belong to this one request
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			uc, err := c.dialUnix(ctx)
			if err != nil {
				return nil, err
			}
			return &fileConn{UnixConn: uc, files: files}, nil
		},
	}
	return c.over(t), t.CloseIdleConnections
}

func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	uc, err := c.dialUnix(ctx)
	if err != nil {
		return nil, err
	}
	return uc, nil
}

func (c *Client) dialUnix(ctx context.Context) (*net.UnixConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, &dialError{socket: c.socket, err: err}
	}
	return conn.(*net.UnixConn), nil
}

// dialError says in the user's terms why the socket cannot be reached.
type dialError struct {
	socket string
	err    error
}

func (e *dialError) Error() string {
	switch {
	case errors.Is(e.err, syscall.ENOENT), errors.Is(e.err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%v on %s: start one with mpsupervisor serve", ErrNoDaemon, e.socket)
	case errors.Is(e.err, syscall.EACCES), errors.Is(e.err, syscall.EPERM):
		return fmt.Sprintf("%v: this user may not connect to %s: run as root or as a member of the group that owns it", ErrDenied, e.socket)
	}
	return fmt.Sprintf("cannot connect to %s: %v", e.socket, e.err)
}

func (e *dialError) Unwrap() []error {
	switch {
	case errors.Is(e.err, syscall.ENOENT), errors.Is(e.err, syscall.ECONNREFUSED):
		return []error{ErrNoDaemon, e.err}
	case errors.Is(e.err, syscall.EACCES), errors.Is(e.err, syscall.EPERM):
		return []error{ErrDenied, e.err}
	}
	return []error{e.err}
}

// fileConn sends descriptors with the first byte that is written.
type fileConn struct {
	*net.UnixConn
	files []*os.File // nil once sent
}

func (c *fileConn) Write(b []byte) (int, error) {
	if len(c.files) == 0 || len(b) == 0 {
		return c.UnixConn.Write(b)
	}
	n, err := c.send(b[:1])
	if err != nil {
		return n, fmt.Errorf("cannot send the file descriptors: %w", err)
	}
	rest, err := c.UnixConn.Write(b[1:])
	return n + rest, err
}

func (c *fileConn) send(b []byte) (n int, err error) {
	files := c.files
	c.files = nil
	err = withDescriptors(files, nil, func(fds []int) error {
		n, _, err = c.WriteMsgUnix(b, syscall.UnixRights(fds...), nil)
		return err
	})
	return n, err
}

// withDescriptors calls f with the descriptors of files, after those of fds;
// none of them is closed meanwhile.
func withDescriptors(files []*os.File, fds []int, f func(fds []int) error) error {
	if len(files) == 0 {
		return f(fds)
	}
	raw, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	outer := raw.Control(func(fd uintptr) { err = withDescriptors(files[1:], append(fds, int(fd)), f) })
	return errors.Join(outer, err)
}
