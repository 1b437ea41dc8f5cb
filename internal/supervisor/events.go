package supervisor

import (
	"log/slog"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The types of events.
const (
	eventStarted       = "started"       // a worker is made for a program
	eventRunning       = "running"       // its module has been evaluated
	eventEnded         = "ended"         // with the cause
	eventStartFailed   = "start_failed"  // with the reason; nothing is left of it
	eventRefused       = "refused"       // a call by a peer without the role
	eventPackageAdded  = "package_added" // to those that can be started
	eventLogDropped    = "log_dropped"   // a program prints more than it may
	eventLauncherGone  = "launcher_gone" // and with it every program
	eventDraining      = "draining"      // the supervisor stops
	eventReloaded      = "config_reloaded"
	eventRefusedFlood  = "refused_flood" // more calls were refused than are told one by one
	maxEvents          = 1000
	refusedPerSecond   = 5
	logDroppedInterval = 10 * time.Second // between two log_dropped of one program
)

// event is something that happened.
type event struct {
	Seq    uint64 // 1 is the first
	Time   time.Time
	Type   string
	ID     mp.InstanceID
	AppID  mp.AppID
	Fields map[string]string
}

// events keeps the latest events and writes each to the log.
type events struct {
	*ring[event]
	log *slog.Logger

	mu      sync.Mutex
	refused bucket // so that a stranger cannot push everything else out
	hidden  int    // refusals since the last one told
}

func newEvents(log *slog.Logger) *events {
	const anySize = 1 << 40 // the number bounds them: each is small
	return &events{
		ring:    newRing[event](maxEvents, anySize),
		log:     log,
		refused: newBucket(refusedPerSecond, 4*refusedPerSecond, time.Now()),
	}
}

// emit records an event. fields are names and values by turns.
func (e *events) emit(kind string, id mp.InstanceID, app mp.AppID, fields ...string) {
	m := make(map[string]string, len(fields)/2)
	attrs := make([]any, 0, len(fields)+4)
	for i := 0; i+1 < len(fields); i += 2 {
		m[fields[i]] = fields[i+1]
		attrs = append(attrs, fields[i], fields[i+1])
	}
	if id != "" {
		attrs = append(attrs, "id", string(id), "app_id", string(app))
	}
	e.add(1, func(seq uint64) event {
		return event{Seq: seq + 1, Time: time.Now(), Type: kind, ID: id, AppID: app, Fields: m}
	})
	e.log.Info(kind, attrs...)
}

// emitRefused records a refusal, as far as there are not too many.
func (e *events) emitRefused(fields ...string) {
	e.mu.Lock()
	if !e.refused.take(1, time.Now()) {
		e.hidden++
		e.mu.Unlock()
		return
	}
	hidden := e.hidden
	e.hidden = 0
	e.mu.Unlock()
	if hidden > 0 {
		e.emit(eventRefusedFlood, "", "", "count", itoa(hidden))
	}
	e.emit(eventRefused, "", "", fields...)
}
