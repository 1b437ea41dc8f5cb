package supervisor

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// lastWish tells a program that it is about to be hibernated, and gives what it
// saves for a start without its image. That it saves nothing is no error.
func (i *instance) lastWish(ctx context.Context, conn *ipc.Conn) ([]byte, error) {
	body, err := wire.Marshal(wire.MethodEvent, &wire.Event{Type: mp.EventHibernate})
	if err != nil {
		return nil, err
	}
	limit, cancel := i.timeout(ctx, i.bounds().CallTimeout)
	defer cancel()
	answer, err := conn.Call(limit, body)
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return nil, nil
	case err != nil:
		return nil, i.callFailed(ctx, limit, string(mp.EventHibernate), err)
	}
	var m wire.EventDone
	if err = wire.Unmarshal(answer, &m); err == nil && len(m.Result) > 0 && !json.Valid(m.Result) {
		err = errors.New("saved what is not JSON")
	}
	if err != nil {
		i.violated(err)
		return nil, i.endedSoon(ctx)
	}
	return m.Result, nil
}

// launchDetail is what the event launched tells the program: whether everything
// that it had is still there, and if not, what it saved when it was hibernated.
func (i *instance) launchDetail() ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var detail struct {
		Restored bool            `json:"restored"`
		State    json.RawMessage `json:"state,omitempty"`
	}
	detail.Restored = i.start.image == string(mp.ImageInstance)
	if i.wake != nil && !detail.Restored {
		detail.State = i.wake.saved
	}
	return json.Marshal(detail)
}
