package native

import (
	"context"
	"encoding/json"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// notice is the params of an event's notification.
type notice struct {
	Type   mp.EventType    `json:"type"`
	Page   string          `json:"page,omitempty"`
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Event sends the program a notification, which it need not know. See
// engine.Engine. Nobody waits for what the program makes of it.
func (e *Engine) Event(_ context.Context, event engine.Event, done func([]byte, error)) {
	detail, err := compact(event.Detail)
	if err != nil {
		done(nil, err)
		return
	}
	line := notification("event", quoted(notice{event.Type, event.Page, detail}))
	if e.bridge.out.put(line) != nil {
		e.end(mp.CauseProtocol, unread)
	}
	done(nil, nil)
}
