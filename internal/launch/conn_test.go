package launch

import (
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func pair(t *testing.T) (a, b *Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*Conn
	for i, fd := range fds {
		if ends[i], err = NewConn(os.NewFile(uintptr(fd), "end")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ends[i].f.Close() })
	}
	return ends[0], ends[1]
}

// A peer that dies before it has read everything resets the connection; that
// is its end, as any other.
func TestReceiveFromTheDead(t *testing.T) {
	a, b := pair(t)
	if err := a.Send(Response{Seq: 1}); err != nil {
		t.Fatal(err)
	}
	b.f.Close() // with a packet unread
	if _, err := a.Receive(&Response{}); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
}
