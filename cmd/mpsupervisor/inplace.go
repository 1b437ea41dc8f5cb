package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
	"github.com/mpsupervisor/mpsupervisor/internal/reap"
)

// How run and the supervisor that it starts in place belong together:
//
//	run (root)                      serve --in-place (root)
//	  listens on @mpsupervisor/…
//	  starts ───────────────────────▶ fd 3 listener, fd 4 lifetime pipe
//	  gives up root, but for reading   starts the launcher
//	  packs the directory              gives up root
//	  gives up the rest
//	  calls ────────────────────────▶ serves fd 3 to root and --owner
//	  closes the pipe ──────────────▶ drains, ends
//
// The listener is there before either side gives up anything, so the first
// call waits in its queue. If run is killed, the pipe closes all the same.
const (
	listenerFD = 3
	lifetimeFD = 4
)

// session is a supervisor to talk to.
type session struct {
	client  *control.Client
	inPlace bool
	parent  context.Context // the command's
	ctx     context.Context // ends with the command, or with the supervisor in place
	end     func() error
}

// goneError is the cause of a context that ended with the supervisor in place.
type goneError struct{ state string }

func (e *goneError) Error() string {
	return "the supervisor that was started in place has ended: " + e.state
}

// explain replaces what an error is by its reason when the supervisor went
// away, unless the command was asked to end.
func (s session) explain(err error) error {
	if err == nil || !s.inPlace || s.parent.Err() != nil || answered(err) {
		return err
	}
	select {
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-time.After(endTimeout): // it lives: the error is another one
		return err
	}
}

// answered reports whether the supervisor gave the error itself, or the
// program did, so that no connection that broke can be its reason.
func answered(err error) bool {
	var own *statusError
	var answer *control.Error
	if errors.As(err, &own) {
		return true
	}
	return errors.As(err, &answer) && len(answer.Unwrap()) > 0 &&
		!errors.Is(err, control.ErrStopping) && !errors.Is(err, context.Canceled)
}

// inPlaceOptions are what a supervisor in place is started with.
type inPlaceOptions struct {
	config string // the configuration file; "" for the default
	learn  bool   // its launcher can record system calls
}

// connect finds the daemon, or starts a supervisor in place if there is none.
func (a *app) connect(ctx context.Context, o inPlaceOptions) (session, error) {
	c := a.client()
	_, err := c.Info(ctx, &controlpb.InfoRequest{})
	switch {
	case err == nil:
		return session{client: c, parent: ctx, ctx: ctx, end: func() error { c.Close(); return nil }}, nil
	case !noDaemon(err):
		return session{}, fmt.Errorf("cannot ask the daemon: %w", err)
	case os.Geteuid() != 0:
		return session{}, fmt.Errorf("no daemon answers on %s, and running in place needs root: "+
			"run this with sudo, or start a daemon with sudo mpsupervisor serve", a.socket)
	}
	return a.startInPlace(ctx, o)
}

func (a *app) startInPlace(ctx context.Context, o inPlaceOptions) (session, error) {
	cfg, _, err := config.Load(o.config)
	if err != nil {
		return session{}, err
	}
	me, err := ownUser(cfg)
	if err != nil {
		return session{}, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix",
		Name: fmt.Sprintf("@mpsupervisor/run-%d-%s", os.Getpid(), rand.Text())})
	if err != nil {
		return session{}, fmt.Errorf("cannot listen for the supervisor in place: %w", err)
	}
	child, lifetime, err := a.spawn(l, o, me.UID)
	if err != nil {
		l.Close()
		return session{}, fmt.Errorf("cannot start a supervisor in place: %w", err)
	}
	if err := privilege.Drop(me, privilege.DACReadSearch); err != nil {
		return session{}, err // the pipe closes when this process ends
	}
	return watch(ctx, child, lifetime, l, time.Duration(cfg.DrainTimeout.Duration)+killTimeout)
}

// ownUser is whom the command becomes: whoever called sudo, else the
// supervisor's user.
func ownUser(cfg config.Config) (privilege.User, error) {
	u, found, err := privilege.Invoker()
	if err != nil || found {
		return u, err
	}
	u, _, err = privilege.Lookup(cfg.User)
	return u, err
}

// spawn starts this program again as the supervisor. Its process group is its
// own, so that a terminal's Ctrl-C reaches only the command.
func (a *app) spawn(l *net.UnixListener, o inPlaceOptions, owner uint32) (*exec.Cmd, *os.File, error) {
	listener, err := l.File()
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	cmd := selfCommand(context.Background(), "serve", "--in-place", "--owner", strconv.FormatUint(uint64(owner), 10), "--config", o.config, "--learn="+strconv.FormatBool(o.learn))
	cmd.ExtraFiles = []*os.File{listener, theirs} // fds 3 and 4
	cmd.Stderr = a.err
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, nil, err
	}
	return cmd, ours, nil
}

// selfCommand starts this program again, whatever has become of its file.
func selfCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	return cmd
}

// watch ends the session's context when the child does. The listener stays
// open here too: its name cannot be taken by anybody else meanwhile.
func watch(parent context.Context, child *exec.Cmd, lifetime *os.File, l *net.UnixListener, patience time.Duration) (session, error) {
	ctx, cancel := context.WithCancelCause(parent)
	gone := make(chan struct{})
	if err := reap.Wait(child, func() {
		cancel(&goneError{child.ProcessState.String()}) // what it had to say is on standard error already
		close(gone)
	}); err != nil {
		return session{}, err
	}
	c := control.Dial(l.Addr().String())
	return session{client: c, inPlace: true, parent: parent, ctx: ctx, end: func() error {
		c.Close()
		lifetime.Close()
		defer l.Close()
		select {
		case <-gone:
			return nil
		case <-time.After(patience):
			return fmt.Errorf("the supervisor in place (pid %d) did not end within %v", child.Process.Pid, patience)
		}
	}}, nil
}
