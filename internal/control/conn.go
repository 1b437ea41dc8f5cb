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

// maxFiles is how many descriptors one request may bring: a root directory and
// three of standard input and output.
const maxFiles = 4

// errNoFile is what a request hears that should have brought descriptors.
var errNoFile = errors.New("no file descriptor came with the request; it travels as SCM_RIGHTS with the first byte, on HTTP/1.1")

type connKey struct{} // of the *conn in a request's context

// conn is a server's end of a connection. It keeps the descriptors that the peer
// sent and nobody took yet, in their order, as far as a request may bring so
// many; any more are closed at once.
type conn struct {
	*net.UnixConn
	peer    Peer
	release func() // gives the connection's slot back; called once

	mu     sync.Mutex
	files  []*os.File
	many   bool // more came than a request may bring
	closed bool
}

// oobSize has room for all descriptors of a request, and for one to know that
// there were more. The kernel does not install those that do not fit.
var oobSize = unix.CmsgSpace((maxFiles + 1) * 4)

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

// keep takes descriptors as long as there is room, and closes the others.
func (c *conn) keep(fds []int, truncated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.many = c.many || truncated
	for _, fd := range fds {
		if c.closed || len(c.files) == maxFiles {
			unix.Close(fd)
			c.many = true
			continue
		}
		c.files = append(c.files, os.NewFile(uintptr(fd), "received"))
	}
}

// take hands over the kept descriptors, if they are exactly n; it closes them
// otherwise.
func (c *conn) take(n int) ([]*os.File, error) {
	c.mu.Lock()
	files, many := c.files, c.many
	c.files, c.many = nil, false
	c.mu.Unlock()
	if len(files) == n && !many {
		return files, nil
	}
	closeFiles(files)
	switch {
	case many:
		return nil, fmt.Errorf("more than %s came with the request, which takes %d", counted(maxFiles), n)
	case len(files) == 0:
		return nil, errNoFile
	}
	return nil, fmt.Errorf("%s came with the request, which takes %d", counted(len(files)), n)
}

func counted(n int) string {
	if n == 1 {
		return "one file descriptor"
	}
	return fmt.Sprintf("%d file descriptors", n)
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// drop closes whatever was sent and not taken.
func (c *conn) drop() { c.take(0) }

// Close closes the connection and the descriptors that nobody took.
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

type fileKey struct{} // of the *conn from which this request may take descriptors

// TakeFiles hands over the n descriptors, at least one, that came with the
// request that ctx belongs to, in the order in which they were sent. The caller
// closes them. Any other number is an error, and then all are closed.
func TakeFiles(ctx context.Context, n int) ([]*os.File, error) {
	c, ok := ctx.Value(fileKey{}).(*conn)
	if !ok {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, errNoFile)
	}
	files, err := c.take(n)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return files, nil
}

// TakeFile is TakeFiles for one.
func TakeFile(ctx context.Context) (*os.File, error) {
	files, err := TakeFiles(ctx, 1)
	if err != nil {
		return nil, err
	}
	return files[0], nil
}
