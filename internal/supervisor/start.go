package supervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// timing holds how long the supervisor waits for what.
type timing struct {
	start  time.Duration // from the request to a sealed, verified worker
	grace  time.Duration // after a deadline, for the worker to end itself
	linger time.Duration // for a process to end after its channel or its last word
	kill   time.Duration // for the launcher to kill, before it is asked again
	undo   time.Duration // for what is left of a failed start to be gone
	unload time.Duration // for a program to hear that it is about to be ended
	lease  time.Duration // for the caller of an attached start to come back
}

var defaultTiming = timing{
	start:  30 * time.Second,
	grace:  time.Second,
	linger: time.Second,
	kill:   5 * time.Second,
	undo:   20 * time.Second,
	unload: time.Second,
	lease:  10 * time.Second,
}

// start brings a program up, or leaves nothing behind. A program that ended by
// itself while its module was evaluated is no error: its state is ended.
func (s *Supervisor) start(ctx context.Context, i *instance, a attachments) error {
	conn, err := s.seal(ctx, i, a)
	if err == nil {
		err = i.boot(ctx, conn, a)
	}
	if err == nil {
		s.makers.want(i)
		return nil
	}
	err = s.undo(i, err)
	s.totals.count(&s.totals.failures, 1)
	s.events.emit(eventStartFailed, i.id, i.app(), "reason", firstLine(err.Error()))
	return err
}

// seal makes a worker, and returns its channel once every lock is verified.
func (s *Supervisor) seal(ctx context.Context, i *instance, a attachments) (*ipc.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timing.start, errors.New("it took too long"))
	defer cancel()
	channel, birth, err := s.launch(ctx, i, a)
	if err != nil {
		return nil, err
	}
	conn, err := i.open(ctx, channel, birth)
	if err != nil {
		return nil, fmt.Errorf("cannot open the worker's channel: %w", err)
	}
	if err := i.awaitSealed(ctx); err != nil {
		return nil, fmt.Errorf("cannot seal the worker: %w", err)
	}
	return conn, s.verify(ctx, i)
}

// undo ends what there is of a worker whose start failed, and says what is
// known about why.
func (s *Supervisor) undo(i *instance, err error) error {
	i.mu.Lock()
	launched := i.proc.Pid != 0
	i.mu.Unlock()
	if !launched {
		s.forget(i)
		return fmt.Errorf("cannot start: %w", err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		within(i.dead, s.timing.linger) // a channel ends a moment before its process
	}
	i.end(verdictOn(err))
	if !within(i.done, s.timing.undo) {
		return fmt.Errorf("cannot start: %w; its worker could not be ended yet", err)
	}
	exit, at := i.result()
	return control.About(i.id, control.EncodeExit(exit, at), fmt.Errorf("cannot start: %w", explain(err, exit)))
}

// verdictOn names the cause of a worker's end when its start failed.
func verdictOn(err error) verdict {
	guest := (*mp.GuestError)(nil)
	switch {
	case errors.As(err, &guest):
		return verdict{cause: mp.CauseExited, code: mp.StatusThrew, detail: "its module threw " + firstLine(guest.Error())}
	case errors.Is(err, context.Canceled):
		return verdict{cause: mp.CauseKilled, detail: "the caller went away during the start"}
	}
	return verdict{cause: mp.CauseKilled, detail: "the start failed: " + firstLine(err.Error())}
}

// explain adds how the worker ended to an error that this led to.
func explain(err error, exit mp.Exit) error {
	switch {
	case exit.Cause == mp.CauseExited && exit.Code == codeMissing:
		return fmt.Errorf("%w: %s", mp.ErrMissing, exit.Detail)
	case errors.Is(err, errWorkerEnded):
		return fmt.Errorf("%w: %v", errWorkerEnded, exit)
	case exit.Cause != mp.CauseKilled && exit.Signal != int(unix.SIGKILL):
		return fmt.Errorf("%w; the worker ended: %v", err, exit)
	}
	return err
}

var errWorkerEnded = errors.New("the worker ended before it was ready")

// launch has the launcher make a worker, tells it who it is, and returns our
// end of its channel.
func (s *Supervisor) launch(ctx context.Context, i *instance, a attachments) (*os.File, *wire.Birth, error) {
	p, err := makePipes()
	if err != nil {
		return nil, nil, err
	}
	defer p.closeTheirs()
	started, pidfd, err := s.cfg.Launcher.Start(ctx, launch.Start{
		ID: i.id, Role: i.prog.role, Limits: i.limits,
		TTY: i.prog.native != nil && i.prog.native.TTY, Learn: i.prog.learn, Only: i.prog.only, Root: a.root,
		Channel: p.theirChannel, Birth: p.theirBirth, Stderr: p.theirStderr,
	})
	if err != nil {
		p.closeOurs()
		return nil, nil, fmt.Errorf("the launcher cannot make a worker: %w", err)
	}
	i.launched(started, pidfd, p.stderr)
	if !i.maker {
		s.events.emit(eventStarted, i.id, i.app(), "pid", itoa(started.Pid), "policy", started.Policy.String())
	}
	birth, err := sendBirth(p.birth, i.id, started)
	if err != nil {
		p.channel.Close()
		close(i.opened)
		return nil, nil, err
	}
	return p.channel, birth, nil
}

// launched notes that there is a process, and begins to watch it.
func (i *instance) launched(started launch.Started, pidfd, stderr *os.File) {
	i.mu.Lock()
	i.proc = started
	i.mu.Unlock()
	go i.crashed.read(stderr, i.said)
	go awaitDeath(pidfd, i.dead)
	go i.watch()
}

// sendBirth writes the worker's birth record, with a fresh secret, and closes
// the pipe. A pipe holds far more than a record, so that this cannot block.
func sendBirth(pipe *os.File, id mp.InstanceID, started launch.Started) (*wire.Birth, error) {
	defer pipe.Close()
	b := &wire.Birth{Version: wire.Version, Instance: id, Pid: started.Pid, StartTime: started.StartTime, Policy: started.Policy}
	rand.Read(b.Secret[:])
	encoded, err := wire.MarshalBirth(*b)
	if err != nil {
		return nil, fmt.Errorf("cannot encode the birth record: %w", err)
	}
	defer clear(encoded)
	if _, err := pipe.Write(encoded); err != nil {
		return nil, fmt.Errorf("cannot send the birth record: %w", err)
	}
	return b, nil
}

// open does the handshake on the channel, which it takes over, and forgets the
// secret.
func (i *instance) open(ctx context.Context, channel *os.File, birth *wire.Birth) (*ipc.Conn, error) {
	defer close(i.opened)
	conn, err := ipc.New(ctx, channel, ipc.Config{
		Initiator: true,
		Secret:    birth.Secret,
		Prologue:  birth.Prologue(),
		Paused:    i.paused,
		Handler:   &i.inbox,
	})
	clear(birth.Secret[:])
	if err != nil {
		i.closed(err)
		return nil, err
	}
	i.mu.Lock()
	i.conn, i.handshake = conn, conn.HandshakeName()
	i.mu.Unlock()
	go i.supervise(conn)
	return conn, nil
}

func (i *instance) awaitSealed(ctx context.Context) error {
	select {
	case <-i.sealed:
		return nil
	case <-i.done:
		return errWorkerEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// verify has the launcher look at the worker from outside, and accepts nothing
// but every required lock found in force.
func (s *Supervisor) verify(ctx context.Context, i *instance) error {
	stat, err := s.cfg.Launcher.Stat(ctx, i.id)
	if err != nil {
		return fmt.Errorf("cannot verify the worker's locks: %w", err)
	}
	return checkLocks(stat.Locks)
}

func checkLocks(found []launch.Lock) error {
	seen := map[string]bool{}
	for _, l := range found {
		if !l.OK {
			return fmt.Errorf("%w: %s: found %q, want %q", mp.ErrMissing, l.Name, l.Found, l.Want)
		}
		seen[l.Name] = true
	}
	for _, l := range lock.All() {
		if l.Required && !seen[string(l.Name)] {
			return fmt.Errorf("%w: %s: it was not verified", mp.ErrMissing, l.Name)
		}
	}
	return nil
}
