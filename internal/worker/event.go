package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// handleEvent tells the program of a moment in its life. The answer waits for the
// program's handlers, as long as a call may take.
func (w *worker) handleEvent(ctx context.Context, b []byte) ([]byte, error) {
	var m wire.Event
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	limit := w.end.callLimit()
	if limit == 0 {
		w.refuse(errors.New("an Event came before the program was there"))
	}
	ctx, cancel := awake.Timeout(ctx, limit)
	defer cancel()
	type answer struct {
		saved []byte
		err   error
	}
	c := make(chan answer, 1)
	event := engine.Event{Type: m.Type, Page: m.Page, Detail: m.Detail}
	w.engine.Event(ctx, event, func(saved []byte, err error) { c <- answer{saved, err} })
	a := <-c
	switch {
	case a.err == nil:
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		w.log.Log("warn", fmt.Sprintf("what the program waits for at the event %s took more than %v", m.Type, limit))
	default:
		return nil, a.err
	}
	return wire.MarshalReply(&wire.EventDone{Result: a.saved})
}
