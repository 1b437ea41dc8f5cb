package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Listener is a control socket that waits for connections.
type Listener struct {
	*net.UnixListener
	name string   // the socket as callers know it; "" for the name that it was bound to
	lock *os.File // held as long as the socket is ours; nil for an abstract socket
}

// Addr is the socket's address as callers know it.
func (l *Listener) Addr() net.Addr {
	if l.name == "" {
		return l.UnixListener.Addr()
	}
	return &net.UnixAddr{Name: l.name, Net: "unix"}
}

// Listen makes the control socket: a path, or "@" and the name of an abstract
// socket (unix(7)). A path gets mode 0660 and the group gid, unless gid is
// negative. A second daemon on the same path is refused; the socket that a dead
// one left behind is replaced in one step, so that callers always find one.
func Listen(socket string, gid int) (*Listener, error) {
	if strings.HasPrefix(socket, "@") {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
		if err != nil {
			return nil, fmt.Errorf("cannot listen on %s: %w", socket, err)
		}
		return &Listener{UnixListener: l}, nil
	}
	if err := replaceable(socket); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", socket, err)
	}
	lock, err := lockFile(socket + ".lock")
	if err != nil {
		return nil, err
	}
	l, err := listenPath(socket, gid)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w", socket, err)
	}
	return &Listener{UnixListener: l, name: socket, lock: lock}, nil
}

// replaceable refuses a path that a mistake in the configuration made: what is
// there and is no socket is somebody's, and is not to be replaced.
func replaceable(socket string) error {
	info, err := os.Lstat(socket)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return errors.New("there is something that is not a socket; choose another path, or remove it")
	}
	return nil
}

// lockFile takes the lock that says a daemon lives. The kernel lets go of it
// when the process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot make the control socket's lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errors.New("another daemon holds it; stop that one first, or choose another socket")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return f, nil
}

// listenPath binds under a name of its own, sets mode and group, and moves the
// socket into place.
func listenPath(socket string, gid int) (*net.UnixListener, error) {
	temp := filepath.Join(filepath.Dir(socket), fmt.Sprintf(".%d", os.Getpid()))
	os.Remove(temp) // of a dead process with our number
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // the name it knows is gone by then
	err = os.Chmod(temp, 0o660)
	if err == nil && gid >= 0 {
		err = os.Chown(temp, -1, gid)
	}
	if err == nil {
		err = os.Rename(temp, socket)
	}
	if err != nil {
		l.Close()
		os.Remove(temp)
		return nil, err
	}
	return l, nil
}

// Close stops listening. The socket's file stays: the directory may not be
// writable any more, and the next Listen replaces it.
func (l *Listener) Close() error {
	err := l.UnixListener.Close()
	if l.lock != nil {
		l.lock.Close()
	}
	return err
}

// slots bounds how many connections are open. Strangers, who can do nothing
// but be refused, share a few, so that they cannot keep operators out.
type slots struct {
	mu        sync.Mutex
	max       int
	strangers int // how many of max strangers may have
	all, odd  int // open now: all, and strangers'
}

// take returns a function that gives the slot back, or nil if none is free.
func (s *slots) take(stranger bool) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.max || stranger && s.odd >= s.strangers {
		return nil
	}
	n := 0
	if stranger {
		n = 1
	}
	s.all, s.odd = s.all+1, s.odd+n
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all, s.odd = s.all-1, s.odd-n
	}
}
