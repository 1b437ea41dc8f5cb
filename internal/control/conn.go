package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// What can be wrong with the descriptor that a request should have brought.
var (
	errNoFile    = errors.New("no file descriptor came with the request; it travels as SCM_RIGHTS with the first byte, on HTTP/1.1")
	errManyFiles = errors.New("more than one file descriptor came with the request")
)

type connKey struct{} // of the *conn in a request's context

// conn is a server's end of a connection. It keeps at most one descriptor that
// the peer sent and nobody took yet; any more are closed at once.
type conn struct {
	*net.UnixConn
	peer    Peer
	release func() // gives the connection's slot back; called once

	mu     sync.Mutex
	file   *os.File
	many   bool // a second descriptor came before the first was taken
	closed bool
}

// oobSize has room for two descriptors: one to keep, and one to know that
// there were more. The kernel does not install those that do not fit.
var oobSize = unix.CmsgSpace(2 * 4)

// Read receives bytes, and descriptors beside them. ReadMsgUnix sets
// MSG_CMSG_CLOEXEC, so that no child of this process inherits one.
func (c *conn) Read(b []byte) (int, error) {
	oob := make([]byte, oobSize)
	n, oobn, flags, _, err := c.ReadMsgUnix(b, oob)
	if oobn > 0 {
		c.keep(descriptors(oob[:oobn]), flags&unix.MSG_CTRUNC != 0)
	}
	return n, err
}

// descriptors lists the file descriptors in control messages. Messages of any
// other kind are not asked for and so do not come; they carry nothing to close.
func descriptors(oob []byte) []int {
	var all []int
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil // cannot happen: the kernel wrote them
	}
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			all = append(all, fds...)
		}
	}
	return all
}

// keep takes the first descriptor and closes the others.
func (c *conn) keep(fds []int, truncated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.many = c.many || truncated
	for _, fd := range fds {
		if c.closed || c.file != nil {
			unix.Close(fd)
			c.many = true
			continue
		}
		c.file = os.NewFile(uintptr(fd), "package")
	}
}

// take hands the kept descriptor over.
func (c *conn) take() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, many := c.file, c.many
	c.file, c.many = nil, false
	switch {
	case many:
		if f != nil {
			f.Close()
		}
		return nil, errManyFiles
	case f == nil:
		return nil, errNoFile
	}
	return f, nil
}

// drop closes whatever was sent and not taken.
func (c *conn) drop() {
	if f, err := c.take(); err == nil {
		f.Close()
	}
}

// Close closes the connection and the descriptor that nobody took.
func (c *conn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	c.drop()
	if !again {
		c.release()
	}
	return c.UnixConn.Close()
}

type fileKey struct{} // of the *conn from which this request may take a descriptor

// TakeFile hands over the one descriptor that came with the request that ctx
// belongs to. The caller closes it. None, or more than one, is an error.
func TakeFile(ctx context.Context) (*os.File, error) {
	c, ok := ctx.Value(fileKey{}).(*conn)
	if !ok {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, errNoFile)
	}
	f, err := c.take()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return f, nil
}
