package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// end has the worker killed. The first reason stays; a worker that is dead
// already did not die of ours.
func (i *instance) end(v verdict) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch i.state {
	case starting, running, suspending:
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
