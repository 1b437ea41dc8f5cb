package metric

import (
	"net"
	"sync"
)

// bounded is a listener with so many connections at a time. Further ones wait
// in the kernel's queue, where they cost no descriptor of ours.
type bounded struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newBounded(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &slot{Conn: c, release: sync.OnceFunc(func() { <-b.slots })}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// slot is a connection that leaves room for another when it is closed.
type slot struct {
	net.Conn
	release func()
}

func (s *slot) Close() error {
	err := s.Conn.Close()
	s.release()
	return err
}
