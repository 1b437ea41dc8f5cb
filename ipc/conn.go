package ipc

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/ipc/internal/suite"
)

// Conn is one end of a channel. It is safe for concurrent use.
type Conn struct {
	file      *os.File
	limits    Limits    // what this end accepts
	peer      announced // what the other end accepts
	handler   Handler
	paused    func() bool // Config.Paused, never nil
	initiator bool
	name      string

	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	once   sync.Once
	done   chan struct{}
	err    error // set before done closes

	closing atomic.Bool // Close was called: that the peer ends, too, is no news

	in   *reader
	open opener
	out  writer

	calls    outgoing // made by this end
	requests incoming // made by the peer

	notifies, notified atomic.Uint64
}

// New runs the handshake on f, one end of a Unix stream socket that does not
// block (see Pair and File), and starts to receive. It takes f over, whatever
// it returns. Its error is a *ProtocolError when the peer broke a rule,
// io.ErrUnexpectedEOF when the peer ended the handshake (as one does that
// holds another secret), or ctx's.
func New(ctx context.Context, f *os.File, cfg Config) (*Conn, error) {
	return NewWith(ctx, f, cfg, suite.Strong())
}

// NewWith is New for package ipctest: nobody outside this directory can name
// the type of its last parameter.
func NewWith(ctx context.Context, f *os.File, cfg Config, s suite.Suite) (*Conn, error) {
	c, err := newConn(f, cfg)
	if err == nil {
		err = c.handshake(ctx, cfg, s)
	}
	if err != nil {
		if c != nil {
			c.in.close()
		}
		f.Close()
		return nil, fmt.Errorf("cannot open the channel: %w", err)
	}
	c.name = "Noise_NNpsk0_" + string(s.Noise().Name())
	c.start()
	return c, nil
}

func newConn(f *os.File, cfg Config) (*Conn, error) {
	limits, err := cfg.Limits.filled()
	if err != nil {
		return nil, err
	}
	in, err := newReader(f)
	if err != nil {
		return nil, err
	}
	c := &Conn{
		file: f, limits: limits, handler: cfg.Handler, initiator: cfg.Initiator,
		done: make(chan struct{}), in: in,
	}
	if c.handler == nil {
		c.handler = deaf{}
	}
	if c.paused = cfg.Paused; c.paused == nil {
		c.paused = func() bool { return false }
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// start opens what the handshake settled, and the reading goroutine.
func (c *Conn) start() {
	c.in.frame, c.in.idle, c.in.paused = c.limits.Frame, c.limits.Idle, c.paused
	if !c.initiator {
		c.in.room = make([]byte, unix.CmsgSpace(4*maxFiles))
	}
	c.out.init(c)
	c.calls.init(c.peer, c.limits)
	c.requests.init(c.peer, c.limits)
	go c.receive()
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection ended: io.EOF when the peer closed it,
// io.ErrUnexpectedEOF when the peer vanished, a *ProtocolError when the peer
// broke a rule, ErrClosed after Close, ErrStalled or ErrIdle. It is nil before.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// closeWait is how long Close waits for a peer that does not read.
const closeWait = time.Second

// Close tells the peer, after everything sent so far, and ends the connection.
// It does not wait for handlers; their contexts end.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(c.ctx, closeWait)
	defer cancel()
	c.closing.Store(true)
	c.out.farewell(ctx) // if it fails, the peer sees that this end is gone
	c.end(ErrClosed)
	return nil
}

// end ends the connection once, for the first reason.
func (c *Conn) end(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.done)
		c.cancel()
		c.file.Close() // wakes the reading goroutine
	})
}

// HandshakeName is the Noise protocol's full name, with the cipher chosen.
func (c *Conn) HandshakeName() string { return c.name }

// Stats counts what a connection has done.
type Stats struct {
	FramesIn, FramesOut     uint64
	BytesIn, BytesOut       uint64 // on the socket
	Reads, Writes           uint64 // system calls that moved bytes
	RekeysIn, RekeysOut     uint64
	CallsIn, CallsOut       uint64
	NotifiesIn, NotifiesOut uint64
	InFlightIn, InFlightOut int // calls right now
}

// Stats may be called at any time, also after the end.
func (c *Conn) Stats() Stats {
	s := Stats{
		BytesIn: c.in.bytes.Load(), Reads: c.in.reads.Load(),
		NotifiesIn: c.notified.Load(), NotifiesOut: c.notifies.Load(),
	}
	s.FramesIn, s.RekeysIn = c.open.count.Load(), c.open.keys.Load()
	c.out.stats(&s)
	c.calls.stats(&s)
	c.requests.stats(&s)
	return s
}

// deaf is the handler of an end that expects nothing.
type deaf struct{}

func (deaf) HandleCall(_ context.Context, _ []byte, files []*os.File) ([]byte, error) {
	for _, f := range files {
		f.Close()
	}
	return nil, fmt.Errorf("this end takes no calls")
}

func (deaf) HandleNotify([]byte) {}
