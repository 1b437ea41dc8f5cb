package metric

import (
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Source gives the figures of one moment. It is called for each scrape, by
// several goroutines at once: it answers from what is known already and asks
// nobody.
type Source interface {
	Metrics() Snapshot
}

// Snapshot is what a supervisor has counted since it began, and the programs
// that it has now.
type Snapshot struct {
	Programs    []Program // those that have not ended
	MaxPrograms int       // how many there may be

	Starts        uint64              // programs that began
	StartFailures uint64              // starts of which nothing came
	Ends          map[mp.Cause]uint64 // programs that ended, by cause
	Denials       uint64              // refused system calls, of ended programs too
	Events        map[string]uint64   // by type: a closed list
	Answers       map[Answer]uint64   // of the monitor
	Quarantined   int                 // packages that may not be started now
	Packages      int                 // that are kept
	PackageBytes  int64               // their size together
}

// Answer is a rule of the monitor and what it did.
type Answer struct {
	Rule   string
	Action monitor.Action
}

// Program is one program with its latest sample.
type Program struct {
	ID        mp.InstanceID
	App       mp.AppID
	Runtime   string
	Started   time.Time
	Limits    mp.Limits
	Calls     uint64
	Throttled bool // a rule holds it back
	monitor.Counters
}
