package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// outside is what the program reaches beyond the worker. See engine.Host.
type outside struct {
	*logger
	*asker
}

var _ engine.Host = outside{}

// asker sends the program's requests to the supervisor: so many at once and so
// many a second. Those above the rate wait; those above the number are refused.
type asker struct {
	conn   caller
	refuse func(rule error) // ends the process: the supervisor broke a rule

	requests chan request
	idle     atomic.Int32 // goroutines that wait for one, or are about to

	mu     sync.Mutex
	rate   bucket
	flight int
}

// caller is the part of *ipc.Conn that an asker needs.
type caller interface {
	Call(ctx context.Context, body []byte, files ...*os.File) ([]byte, error)
}

func newAsker(refuse func(rule error)) *asker {
	return &asker{refuse: refuse, requests: make(chan request)}
}

// setRate lets the program make requests.
func (a *asker) setRate(rate int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rate = newBucket(float64(rate))
}

// Ask makes a request. See engine.Host.
func (a *asker) Ask(ctx context.Context, method string, params []byte, done func([]byte, error)) {
	if len(params) > wire.MaxParams {
		done(nil, &mp.AskError{Code: mp.AskTooLarge, Message: fmt.Sprintf("%.80s: the params are %d bytes of JSON; the limit is %d", method, len(params), wire.MaxParams)})
		return
	}
	body, err := wire.Marshal(wire.MethodAsk, &wire.Ask{Method: method, Params: params})
	if err != nil {
		done(nil, &mp.AskError{Code: mp.AskParams, Message: err.Error()})
		return
	}
	wait, err := a.enter(1 + len(body)/wire.AskUnit)
	if err != nil {
		done(nil, err)
		return
	}
	a.hand(request{ctx, wait, body, done})
}

// request is one that has its place.
type request struct {
	ctx  context.Context
	wait time.Duration
	body []byte
	done func([]byte, error)
}

// idleAskers is how many goroutines wait for a request when there is none: a new
// one's stack grows on the way to the socket, which takes as long as the way.
const idleAskers = 2

// hand has a request made by a goroutine that waits, or by a new one.
func (a *asker) hand(r request) {
	select {
	case a.requests <- r:
	default:
		go a.serve(r)
	}
}

func (a *asker) serve(r request) {
	for {
		result, err := a.ask(r.ctx, r.wait, r.body)
		stay := a.leave()
		r.done(result, err)
		if !stay {
			return
		}
		r = request{ctx: r.ctx} // the rest is garbage from now on
		select {
		case r = <-a.requests:
			a.idle.Add(-1)
		case <-r.ctx.Done(): // the program has ended
			a.idle.Add(-1)
			return
		}
	}
}

// enter takes a place among those under way for a request that counts as n, and
// says how long to wait.
func (a *asker) enter(n int) (wait time.Duration, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.rate.rate == 0:
		return 0, &mp.AskError{Code: mp.AskQuota, Message: "the program may make no requests"}
	case a.flight == wire.MaxAsks:
		return 0, &mp.AskError{Code: mp.AskQuota, Message: fmt.Sprintf("%d requests to the host are under way, which is the limit", wire.MaxAsks)}
	}
	a.flight++
	return a.rate.owe(float64(n), time.Now()), nil
}

// leave gives the place back, and reports whether to wait for the next request.
func (a *asker) leave() (stay bool) {
	a.mu.Lock()
	a.flight--
	a.mu.Unlock()
	if a.idle.Add(1) <= idleAskers {
		return true
	}
	a.idle.Add(-1)
	return false
}

func (a *asker) ask(ctx context.Context, wait time.Duration, body []byte) ([]byte, error) {
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, aborted(ctx.Err())
		}
	}
	b, err := a.conn.Call(ctx, body)
	var remote *ipc.RemoteError
	switch {
	case errors.As(err, &remote):
		return nil, &mp.AskError{Code: mp.AskFailed, Message: remote.Error()}
	case err != nil:
		return nil, aborted(err)
	}
	var m wire.Answer
	if err := wire.Unmarshal(b, &m); err != nil {
		a.refuse(err)
	}
	if m.Error != nil {
		return nil, m.Error
	}
	return m.Result, nil
}

func aborted(err error) error {
	return &mp.AskError{Code: mp.AskAborted, Message: "the host did not answer: " + err.Error()}
}
