package supervisor

import (
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The types of events.
const (
	eventStarted      = "started"       // a worker is made for a program
	eventRunning      = "running"       // its module has been evaluated
	eventEnded        = "ended"         // with the cause
	eventStartFailed  = "start_failed"  // with the reason; nothing is left of it
	eventRefused      = "refused"       // a call by a peer without the role
	eventPackageAdded = "package_added" // to those that can be started
	eventLogDropped   = "log_dropped"   // a program prints more than it may
	eventLauncherGone = "launcher_gone" // and with it every program
	eventDraining     = "draining"      // the supervisor stops
	eventReloaded     = "config_reloaded"
	eventRefusedFlood = "refused_flood" // more calls were refused than are told one by one

	eventDenied        = "seccomp_denied" // a system call was refused to a program
	eventFault         = "fault"          // a process of a program faulted
	eventRule          = "rule"           // a rule of the monitor was broken, with the evidence
	eventThrottled     = "throttled"      // a program got less of the processor
	eventUnthrottled   = "unthrottled"    // and all of its share again
	eventShown         = "shown"          // a program, or one of its pages
	eventHidden        = "hidden"         // likewise
	eventFrozen        = "frozen"
	eventThawed        = "thawed"
	eventLimitsChanged = "limits_changed"
	eventQuarantined   = "quarantined" // a package may not be started for a while
	eventReleased      = "released"    // and may again

	eventHibernated   = "hibernated"      // a program has no worker any more, but an image
	eventResumed      = "resumed"         // and a worker again; with what it began
	eventCompiled     = "module_compiled" // of WebAssembly, when its package was first started
	eventImageMade    = "image_made"      // a ready image, with which a package's programs begin from now on
	eventImageRefused = "image_refused"   // with the reason: they begin with their source
)

// Bounds of what is kept and told.
const (
	maxEvents          = 1000
	maxShare           = 64 // of those, that one program causes while it runs
	refusedPerSecond   = 5
	noisePerSecond     = 2 // refusals and faults of one program, each
	noiseBurst         = 20
	logDroppedInterval = 10 * time.Second // between two log_dropped of one program
)

// once are the events of a program that come once in its life, and that it
// cannot push out by others of its own.
var once = map[string]bool{eventStarted: true, eventRunning: true, eventEnded: true, eventStartFailed: true}

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
	counts  map[string]uint64 // by type
	refused bucket            // so that a stranger cannot push everything else out
	hidden  int               // refusals since the last one told
}

func newEvents(log *slog.Logger) *events {
	const anySize = 1 << 40 // the number bounds them: each is small
	return &events{
		ring:    newRing[event](maxEvents, anySize),
		log:     log,
		counts:  map[string]uint64{},
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
	e.mu.Lock()
	e.counts[kind]++
	e.mu.Unlock()
	e.add(1, func(seq uint64) event {
		return event{Seq: seq + 1, Time: time.Now(), Type: kind, ID: id, AppID: app, Fields: m}
	})
	if id != "" && !once[kind] {
		e.evict(maxShare, func(other event) bool { return other.ID == id && !once[other.Type] })
	}
	e.log.Info(kind, attrs...)
}

// kinds gives how many events there were, by type.
func (e *events) kinds() map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.counts)
}

// noise bounds events that a program can cause as often as it likes. It is not
// safe for concurrent use.
type noise struct {
	rate   bucket
	hidden uint64
}

func newNoise(now time.Time) noise { return noise{rate: newBucket(noisePerSecond, noiseBurst, now)} }

// force is pass for what must be told.
func (n *noise) force() (hidden uint64) {
	hidden, n.hidden = n.hidden, 0
	return hidden
}

// pass reports whether one more is told, and how many before it were not.
func (n *noise) pass(now time.Time) (hidden uint64, ok bool) {
	if !n.rate.take(1, now) {
		n.hidden++
		return 0, false
	}
	hidden, n.hidden = n.hidden, 0
	return hidden, true
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
