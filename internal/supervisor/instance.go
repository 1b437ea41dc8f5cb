package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// state is how far a program is in its life. It only moves forward:
//
//	starting ──▶ running ──▶ ending ──▶ ended
//	    └───────────┴──────────▲──────────▲
//
// ending means that its worker is being killed; one that ends by itself goes
// to ended at once.
type state string

const (
	starting state = "starting"
	running  state = "running"
	ending   state = "ending"
	ended    state = "ended"
)

// instance is one program in one worker.
type instance struct {
	id      mp.InstanceID
	prog    program
	born    time.Time
	console *console
	sup     *Supervisor
	slots   chan struct{} // one is held by each call under way

	exited  chan launch.Exited // what the launcher told; has room for it
	sealed  chan struct{}      // closed when Sealed came
	opened  chan struct{}      // closed when the channel is there, or never will be
	said    chan struct{}      // closed when standard error ended
	dead    chan struct{}      // closed when the process has ended; the launcher may not be done with it
	done    chan struct{}      // closed when state is ended
	inbox   inbox
	crashed *capture   // standard error
	witness witness    // of what the kernel told
	turn    sync.Mutex // held while the launcher is asked to change the worker; comes before mu

	mu        sync.Mutex
	state     state
	limits    mp.Limits // as they were asked for; a rule may hold it back further
	pause     pause
	entered   bool // the program was handed to the worker
	sampled   monitor.Counters
	peaks     peaks
	proc      launch.Started
	conn      *ipc.Conn // nil before the handshake
	exports   []string
	image     string
	ours      *verdict // why we kill it
	broke     error    // the rule that it broke
	claim     *wire.Ending
	exit      mp.Exit // when ended
	endTime   time.Time
	last      launch.Exited // for usage when ended
	stats     ipc.Stats     // likewise
	handshake string
	calls     uint64
	attached  int         // callers of Wait that the program lives for
	lease     *time.Timer // ends a program whose first such caller never comes
}

func newInstance(s *Supervisor, p program, limits mp.Limits, settings Settings) *instance {
	now := time.Now()
	i := &instance{
		id:      mp.NewInstanceID(),
		prog:    p,
		limits:  limits,
		witness: newWitness(now),
		born:    now,
		console: newConsole(limits.LogRate, settings, now),
		sup:     s,
		slots:   make(chan struct{}, maxCalls),
		exited:  make(chan launch.Exited, 1),
		sealed:  make(chan struct{}),
		opened:  make(chan struct{}),
		said:    make(chan struct{}),
		dead:    make(chan struct{}),
		done:    make(chan struct{}),
		crashed: &capture{},
		state:   starting,
	}
	i.inbox = newInbox(i, limits.LogRate, now)
	return i
}

func (i *instance) app() mp.AppID { return i.prog.app }

// bounds gives the limits that are in force, but for a rule's.
func (i *instance) bounds() mp.Limits {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.limits
}

// setState moves forward, and reports whether it did.
func (i *instance) setState(from, to state) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != from {
		return false
	}
	i.state = to
	return true
}

// end has the worker killed. The first reason stays; a worker that is dead
// already did not die of ours.
func (i *instance) end(v verdict) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch i.state {
	case starting, running:
		i.state = ending
		if !within(i.dead, 0) {
			i.ours = &v
		}
		go i.kill()
	case ending, ended:
	}
}

// violated ends a worker that broke a rule of its channel.
func (i *instance) violated(rule error) {
	i.mu.Lock()
	if i.broke == nil {
		i.broke = rule
	}
	i.mu.Unlock()
	i.end(verdict{cause: mp.CauseProtocol, detail: firstLine(rule.Error())})
}

// kill asks the launcher until the worker has ended. A launcher that answers
// with an error is asked again: nothing else can end the worker.
func (i *instance) kill() {
	t := i.sup.timing
	for {
		ctx, cancel := context.WithTimeout(context.Background(), t.kill)
		err := i.sup.cfg.Launcher.Kill(ctx, i.id)
		cancel()
		select {
		case <-i.done:
			return
		case <-i.sup.cfg.Launcher.Done():
			return
		case <-time.After(t.kill):
			i.sup.cfg.Log.Warn("the worker has not ended yet", "id", i.id, "error", err)
		}
	}
}

// watch waits for the worker's end and records it. It runs from the worker's
// start on.
func (i *instance) watch() {
	select {
	case kernel := <-i.exited:
		i.finish(i.account(kernel), kernel)
	case <-i.sup.routed:
		i.watchLate()
	}
}

// watchLate records the end after the launcher's last word, which may be about
// this worker.
func (i *instance) watchLate() {
	select {
	case kernel := <-i.exited:
		i.finish(i.account(kernel), kernel)
	default:
		i.finish(gone(i.sup.cfg.Launcher.Err()), launch.Exited{})
	}
}

// account gathers the evidence. What the worker sent before it ended may still
// be on its way through the channel and the pipe, whose far ends are closed.
func (i *instance) account(kernel launch.Exited) mp.Exit {
	t := i.sup.timing
	within(i.opened, t.linger)
	i.mu.Lock()
	conn := i.conn
	i.mu.Unlock()
	if conn != nil {
		within(conn.Done(), t.linger)
		i.closed(conn.Err())
	}
	within(i.said, t.linger)
	i.mu.Lock()
	defer i.mu.Unlock()
	e := evidence{kernel: kernel, broke: i.broke, ours: i.ours, claim: i.claim, stderr: i.crashed.String()}
	e.native = i.prog.role == launch.RoleNative
	e.killed, e.fault = i.witness.testimony()
	return decide(e)
}

// finish makes the end known.
func (i *instance) finish(exit mp.Exit, kernel launch.Exited) {
	i.console.close(time.Now())
	i.mu.Lock()
	i.state, i.exit, i.endTime, i.last = ended, exit, time.Now(), kernel
	conn := i.conn
	if i.lease != nil {
		i.lease.Stop()
	}
	if conn != nil {
		i.stats = conn.Stats()
	}
	i.conn = nil // and with it the buffers
	i.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	i.crashed.close()
	i.tellFault(exit)
	i.sup.retire(i)
	close(i.done)
}

// supervise ends a worker whose channel ends while its process goes on.
func (i *instance) supervise(conn *ipc.Conn) {
	<-conn.Done()
	i.closed(conn.Err())
	if !within(i.dead, i.sup.timing.linger) {
		i.end(i.lastWord(fmt.Sprintf("its channel ended (%v), it did not", conn.Err())))
	}
}

// closed looks at why the channel ended: a broken rule is the worker's end. A
// frame cut short may be the mark of any sudden end, so that alone says nothing.
func (i *instance) closed(err error) {
	broken := (*ipc.ProtocolError)(nil)
	if errors.As(err, &broken) && broken.Rule != ipc.RuleTruncated {
		i.violated(broken)
	}
}

// lastWord is the verdict on a worker that stays after it has said that it
// exits, or after it closed its channel: what it claimed, if it did.
func (i *instance) lastWord(otherwise string) verdict {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.claim != nil {
		return verdict{cause: i.claim.Cause, code: i.claim.Code, detail: firstLine(i.claim.Detail)}
	}
	return verdict{cause: mp.CauseProtocol, detail: otherwise}
}

// result gives the end of a program that has ended.
func (i *instance) result() (mp.Exit, time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.exit, i.endTime
}

// endedError says that, and how, the program has ended.
func (i *instance) endedError() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.gone()
}

// gone is endedError for who holds i.mu.
func (i *instance) gone() error {
	return control.About(i.id, control.EncodeExit(i.exit, i.endTime), fmt.Errorf("%w: %v", mp.ErrEnded, i.exit))
}

// available says why the program cannot be asked for anything now, if it cannot.
// i.mu is held.
func (i *instance) available() error {
	switch i.state {
	case running:
		return nil
	case starting:
		return fmt.Errorf("%w: %s is still starting", control.ErrBusy, i.id)
	case ending:
		return control.About(i.id, nil, fmt.Errorf("%w: it is being ended", mp.ErrEnded))
	}
	return i.gone()
}

// within waits for a channel to be closed, for at most d.
func within(done <-chan struct{}, d time.Duration) bool {
	select {
	case <-done:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
