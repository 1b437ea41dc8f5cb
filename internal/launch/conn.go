package launch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFiles is how many descriptors one packet can carry. Those above it are
// closed by the kernel, and the packet is refused.
const maxFiles = 4

// Conn is one end of the socket: packets of one JSON object each, with
// descriptors beside them. Send may be called concurrently; Receive may not.
type Conn struct {
	f   *os.File
	raw syscall.RawConn
}

// NewConn takes over f, one end of a SOCK_SEQPACKET socket.
func NewConn(f *os.File) (*Conn, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cannot use socket: %w", err)
	}
	var bad error
	err = raw.Control(func(fd uintptr) { bad = fit(int(fd)) })
	if err := errors.Join(err, bad); err != nil {
		return nil, fmt.Errorf("cannot use socket: %w", err)
	}
	// Only a file made from a non-blocking descriptor is watched by the
	// runtime's poller instead of by a thread.
	fd, err := dup(raw)
	if err != nil {
		return nil, fmt.Errorf("cannot use socket: %w", err)
	}
	f.Close()
	f = os.NewFile(uintptr(fd), "launcher socket")
	raw, err = f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cannot use socket: %w", err)
	}
	return &Conn{f, raw}, nil
}

// fit checks the socket's type and makes it non-blocking.
func fit(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	if kind != unix.SOCK_SEQPACKET {
		return errors.New("it does not keep packets apart (SOCK_SEQPACKET)")
	}
	return unix.SetNonblock(fd, true)
}

func dup(raw syscall.RawConn) (fd int, err error) {
	cerr := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(cerr, err)
}

// Close ends the connection: the other end receives io.EOF.
func (c *Conn) Close() error {
	c.raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // wakes a Receive
	return c.f.Close()
}

// Send sends v and descriptors, which stay the caller's.
func (c *Conn) Send(v any, files ...*os.File) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot encode packet: %w", err)
	}
	if len(b) > MaxPacket {
		return fmt.Errorf("packet of %d bytes is longer than %d", len(b), MaxPacket)
	}
	oob, err := rights(files)
	if err != nil {
		return err
	}
	var serr error
	err = c.raw.Write(func(fd uintptr) bool {
		serr = unix.Sendmsg(int(fd), b, oob, nil, unix.MSG_NOSIGNAL)
		return serr != unix.EAGAIN && serr != unix.EINTR
	})
	runtime.KeepAlive(files) // or a collected one would have closed its descriptor
	return errors.Join(err, serr)
}

// rights encodes descriptors as unix(7) describes under SCM_RIGHTS.
func rights(files []*os.File) ([]byte, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var fds []int
	for _, f := range files {
		if f == nil {
			return nil, errors.New("cannot send a file that is not there")
		}
		fd, err := number(f)
		if err != nil {
			return nil, fmt.Errorf("cannot send file: %w", err)
		}
		fds = append(fds, fd)
	}
	return unix.UnixRights(fds...), nil
}

// number gives a file's descriptor without making it block, as Fd would.
func number(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// Receive receives one packet into v and gives the descriptors that came with
// it, which are the caller's from then on. What is not one JSON object of the
// form of v is an error, and so is a member that v does not have.
func (c *Conn) Receive(v any) ([]*os.File, error) {
	b := make([]byte, MaxPacket)
	oob := make([]byte, unix.CmsgSpace(4*maxFiles))
	var n, oobn, flags int
	var rerr error
	err := c.raw.Read(func(fd uintptr) bool {
		n, oobn, flags, _, rerr = unix.Recvmsg(int(fd), b, oob, unix.MSG_CMSG_CLOEXEC)
		return rerr != unix.EAGAIN && rerr != unix.EINTR
	})
	if errors.Is(rerr, unix.ECONNRESET) {
		return nil, io.EOF // a peer that was killed before it read everything
	}
	if err := errors.Join(err, rerr); err != nil {
		return nil, err
	}
	files, err := received(oob[:oobn])
	if err == nil {
		err = decode(b[:n], flags, v)
	}
	if err != nil {
		CloseAll(files)
		return nil, err
	}
	return files, nil
}

func decode(b []byte, flags int, v any) error {
	switch {
	case len(b) == 0:
		return io.EOF
	case flags&unix.MSG_TRUNC != 0:
		return fmt.Errorf("packet is longer than %d bytes", MaxPacket)
	case flags&unix.MSG_CTRUNC != 0:
		return fmt.Errorf("packet carries more than %d descriptors", maxFiles)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("cannot decode packet: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("cannot decode packet: there is more than one object in it")
	}
	return nil
}

// received makes files of the descriptors that a control message brought.
func received(oob []byte) (files []*os.File, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("cannot read control message: %w", err)
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return files, fmt.Errorf("cannot read control message: %w", err)
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

// CloseAll closes files that nobody wants.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
