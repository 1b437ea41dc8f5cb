package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// maxCalls is how many calls one program may have under way.
const maxCalls = 64

// endsItself waits for the end of a program whose call went unanswered. Its
// error is nil when that has come.
func (i *instance) endsItself(ctx, limit context.Context, what string) error {
	v := verdict{cause: mp.CauseProtocol, detail: what + " got no answer"}
	if limit.Err() != nil {
		v = verdict{cause: mp.CauseCallLimit, detail: what + " took longer than it may"}
	}
	grace, cancel := i.timeout(context.Background(), i.sup.timing.grace)
	defer cancel()
	select {
	case <-i.dead:
	case <-grace.Done():
		i.end(v)
	}
	select {
	case <-i.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// call runs an exported function on JSON. Its error wraps mp.ErrEnded when the
// program ended before it answered.
func (i *instance) call(ctx context.Context, name, input string, timeout time.Duration) (*wire.Reply, error) {
	body, err := callMessage(name, input)
	if err != nil {
		return nil, err
	}
	conn, err := i.begin()
	if err != nil {
		return nil, err
	}
	defer i.finished()
	i.mu.Lock()
	i.calls++
	i.mu.Unlock()
	if most := i.bounds().CallTimeout; timeout <= 0 || timeout > most {
		timeout = most
	}
	limit, cancel := i.timeout(ctx, timeout)
	defer cancel()
	answer, err := conn.Call(limit, body)
	if err != nil {
		return nil, i.callFailed(ctx, limit, name, err)
	}
	return i.reply(ctx, name, answer)
}

// callMessage checks a caller's arguments.
func callMessage(name, input string) ([]byte, error) {
	if input == "" {
		input = "null"
	}
	switch {
	case name == "" || len(name) > wire.MaxName || !utf8.ValidString(name):
		return nil, fmt.Errorf("%w: a function's name has 1 to %d bytes of UTF-8", control.ErrBadRequest, wire.MaxName)
	case len(input) > wire.MaxInput:
		return nil, fmt.Errorf("input of %d bytes, the limit is %d: %w", len(input), wire.MaxInput, mp.ErrTooLarge)
	}
	if !json.Valid([]byte(input)) {
		var v json.RawMessage
		return nil, fmt.Errorf("%w: the input is not JSON: %w", control.ErrBadRequest, json.Unmarshal([]byte(input), &v))
	}
	return wire.Marshal(wire.MethodCall, &wire.Call{Name: name, Input: []byte(input)})
}

// begin takes a slot for a call to a program that runs.
func (i *instance) begin() (*ipc.Conn, error) {
	conn, err := i.listening()
	if err != nil {
		return nil, err
	}
	busy := fmt.Errorf("%w: %s has %d calls under way", control.ErrBusy, i.id, maxCalls)
	if conn.Stats().InFlightOut >= maxCalls { // those that their callers gave up count as well
		return nil, busy
	}
	select {
	case i.slots <- struct{}{}:
	default:
		return nil, busy
	}
	return conn, nil
}

func (i *instance) finished() { <-i.slots }

// listening gives the channel to a program that runs and is not frozen.
func (i *instance) listening() (*ipc.Conn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.available(); err != nil {
		return nil, err
	}
	if i.pause.frozen {
		return nil, fmt.Errorf("%w: thaw %s first", mp.ErrFrozen, i.id)
	}
	return i.conn, nil
}

// callFailed says why there is no reply.
func (i *instance) callFailed(ctx, limit context.Context, name string, err error) error {
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return fmt.Errorf("the worker cannot make the call: %s", firstLine(remote.Error()))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if err := i.endsItself(ctx, limit, "the call of "+name); err != nil {
		return err
	}
	return i.endedError()
}

// reply checks what the worker answered.
func (i *instance) reply(ctx context.Context, name string, answer []byte) (*wire.Reply, error) {
	m := &wire.Reply{}
	err := wire.Unmarshal(answer, m)
	if err == nil {
		err = oneOutcome(m)
	}
	if err != nil {
		i.violated(err)
		return nil, i.endedSoon(ctx)
	}
	switch {
	case m.NotFound:
		return nil, fmt.Errorf("%s exports no function %q: %w", i.app(), name, mp.ErrNotFound)
	case m.TooLarge > 0:
		return nil, fmt.Errorf("result of %d bytes, the limit is %d: %w", m.TooLarge, wire.MaxResult, mp.ErrTooLarge)
	}
	return m, nil
}

// endedSoon waits for the end of a program that is being killed.
func (i *instance) endedSoon(ctx context.Context) error {
	select {
	case <-i.done:
		return i.endedError()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// oneOutcome reports whether a reply is one thing, and its output JSON in UTF-8.
func oneOutcome(m *wire.Reply) error {
	n := 0
	for _, is := range []bool{m.Output != nil, m.Error != nil, m.NotFound, m.TooLarge != 0} {
		if is {
			n++
		}
	}
	switch {
	case n != 1 || m.TooLarge < 0:
		return errors.New("answered a call with no outcome, or with several")
	case m.Output != nil && !(utf8.Valid(m.Output) && json.Valid(m.Output)):
		return errors.New("answered a call with what is not JSON")
	}
	return nil
}
