package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// askMethod answers one kind of request of a program's.
type askMethod struct {
	// answer gets params, JSON that nobody has looked at, or empty. Its result is
	// what encoding/json makes of it. An error that is no *mp.AskError is ours:
	// the program hears its text too.
	answer func(ctx context.Context, i *instance, params []byte) (any, error)
	// quick says that answer waits for nothing, and takes microseconds.
	quick bool
}

// askMethods is everything that programs may ask of the supervisor. What a worker
// answers itself is in package engine.
var askMethods = map[string]askMethod{
	"app": {askApp, true},
}

// App is the result of the method app: who the program is, and since when.
type App struct {
	ID       mp.AppID      `json:"id"`
	Name     string        `json:"name"`
	Version  string        `json:"version"`
	Instance mp.InstanceID `json:"instance"`
	Started  time.Time     `json:"started"`
}

func askApp(_ context.Context, i *instance, _ []byte) (any, error) {
	return App{ID: i.app(), Name: i.prog.name, Version: i.prog.version, Instance: i.id, Started: i.began.UTC()}, nil
}

// askCost is how many requests one counts for: a large one for more.
func askCost(body []byte) float64 { return 1 + float64(len(body)/wire.AskUnit) }

// askRate is what a worker may ask, from our side: an honest one keeps to its
// program's rate by its own clock, which may be a little ahead of ours.
type askRate struct {
	mu     sync.Mutex
	bucket bucket
}

func newAskRate(rate int, now time.Time) askRate {
	r := 1.1 * float64(rate)
	return askRate{bucket: newBucket(r, 2*r+2*wire.MaxAsks*askCost(make([]byte, wire.MaxParams)), now)}
}

func (r *askRate) take(n float64, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bucket.take(n, now)
}

// asked reads a request of the program's. Its error is a rule that the worker
// broke.
func (i *instance) asked(body []byte) (*wire.Ask, error) {
	i.asks.Add(1)
	if !i.askRate.take(askCost(body), time.Now()) {
		return nil, errors.New("made more requests than it may")
	}
	method, rest, err := wire.Split(body)
	if err != nil {
		return nil, err
	}
	if method != wire.MethodAsk {
		return nil, fmt.Errorf("made call %d, which a worker may not", method)
	}
	var m wire.Ask
	if err := wire.Unmarshal(rest, &m); err != nil {
		return nil, err
	}
	return &m, nil
}

func (i *instance) answer(ctx context.Context, f askMethod, m *wire.Ask) *wire.Answer {
	if f.answer == nil {
		return refusal(&mp.AskError{Code: mp.AskNotFound, Message: fmt.Sprintf("the host has no method %q", m.Method)})
	}
	v, err := f.answer(ctx, i, m.Params)
	if err != nil {
		return refusal(err)
	}
	result, err := json.Marshal(v)
	if err != nil {
		return refusal(err)
	}
	if len(result) > wire.MaxParams {
		return refusal(&mp.AskError{Code: mp.AskTooLarge, Message: fmt.Sprintf("%s: the result is %d bytes of JSON; the limit is %d", m.Method, len(result), wire.MaxParams)})
	}
	return &wire.Answer{Result: result}
}

func refusal(err error) *wire.Answer {
	ask := &mp.AskError{Code: mp.AskFailed, Message: firstLine(err.Error())}
	errors.As(err, &ask)
	return &wire.Answer{Error: ask}
}
