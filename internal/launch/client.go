package launch

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Client is the supervisor's end. Its methods may be called concurrently, and
// many requests can be under way at once.
type Client struct {
	conn    *Conn
	exits   *queue
	notices chan Notice
	done    chan struct{}

	mu      sync.Mutex
	seq     uint64
	waiting map[uint64]*pending // requests that have not been answered
	err     error
}

// pending is a request under way.
type pending struct {
	answer chan answer // has room for it
	id     mp.InstanceID
	starts bool
	left   bool // its caller has gone
}

// answer is a response with the descriptors that came beside it.
type answer struct {
	Response
	files []*os.File
}

// NewClient takes over f, the supervisor's end of the socket.
func NewClient(f *os.File) (*Client, error) {
	conn, err := NewConn(f)
	if err != nil {
		return nil, err
	}
	c := &Client{
		conn: conn, exits: newQueue(), notices: make(chan Notice, maxNotices),
		done: make(chan struct{}), waiting: map[uint64]*pending{},
	}
	go c.read()
	return c, nil
}

// Start is what a worker is made of. The files stay the caller's to close.
type Start struct {
	ID      mp.InstanceID
	Role    Role
	Limits  mp.Limits
	TTY     bool // as in Request, like the next two
	Learn   bool
	Only    []string
	Channel *os.File // the worker's ends
	Birth   *os.File
	Stderr  *os.File
	Root    *os.File // for RoleNative: the directory that becomes the program's root
}

// Start makes a worker. The file is its pidfd. A lock that the host lacks is an
// error that wraps mp.ErrMissing.
//
// If ctx ends first, the worker is killed as soon as it has started, and Exits
// delivers its end.
func (c *Client) Start(ctx context.Context, s Start) (Started, *os.File, error) {
	r := Request{Op: OpStart, ID: s.ID, Role: s.Role, Limits: &s.Limits, TTY: s.TTY, Learn: s.Learn, Only: s.Only}
	files := []*os.File{s.Channel, s.Birth, s.Stderr}
	if s.Root != nil {
		files = append(files, s.Root)
	}
	a, err := c.call(ctx, r, files...)
	if err != nil {
		return Started{}, nil, err
	}
	if a.Started == nil || len(a.files) != 1 {
		CloseAll(a.files)
		return Started{}, nil, c.fail(fmt.Errorf("launcher started a worker without saying which"))
	}
	return *a.Started, a.files[0], nil
}

// Limit changes a worker's limits, the size of its /tmp among them. Those that
// the launcher does not enforce (CallTimeout, LogRate, IPCRate) change nothing
// here; a native program's Files must stay what they are.
func (c *Client) Limit(ctx context.Context, id mp.InstanceID, limits mp.Limits) error {
	return c.simple(ctx, Request{Op: OpLimit, ID: id, Limits: &limits})
}

// Freeze stops a worker; it returns when every task of it has stopped.
func (c *Client) Freeze(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpFreeze, ID: id})
}

// Thaw lets a frozen worker go on.
func (c *Client) Thaw(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpThaw, ID: id})
}

// Kill ends everything in the worker's cgroup; Exits tells when it is done.
func (c *Client) Kill(ctx context.Context, id mp.InstanceID) error {
	return c.simple(ctx, Request{Op: OpKill, ID: id})
}

// Stat looks at a worker from outside: its usage, and each of its locks.
func (c *Client) Stat(ctx context.Context, id mp.InstanceID) (Stat, error) {
	a, err := c.call(ctx, Request{Op: OpStat, ID: id})
	CloseAll(a.files)
	if err != nil {
		return Stat{}, err
	}
	if a.Stat == nil {
		return Stat{}, c.fail(fmt.Errorf("launcher looked at a worker and said nothing"))
	}
	return *a.Stat, nil
}

// Sample tells what workers have used, at most MaxSamples of them: cheap enough
// to be asked every second. Those that are not there, or not any more, are left
// out; the order is that of ids.
func (c *Client) Sample(ctx context.Context, ids []mp.InstanceID) ([]Sample, error) {
	a, err := c.call(ctx, Request{Op: OpSample, IDs: ids})
	CloseAll(a.files)
	return a.Samples, err
}

// Exits delivers one value for each worker that was started, when nothing is
// left of it. It is closed when the launcher is gone; workers whose end has not
// been delivered by then are being ended by the kernel or by the next launcher.
func (c *Client) Exits() <-chan Exited { return c.exits.out }

// Done is closed when the launcher is gone; Err then says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why the launcher is gone: io.EOF when it closed its end or died.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close lets the launcher go: it ends every worker and exits.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	return err
}

func (c *Client) simple(ctx context.Context, r Request) error {
	a, err := c.call(ctx, r)
	CloseAll(a.files)
	return err
}
