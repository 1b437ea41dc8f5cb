package monitor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// QuarantineConfig says when a package may not be started for a while.
type QuarantineConfig struct {
	Crashes int           // so many; 0: never
	Within  time.Duration // in this time
	First   time.Duration // how long the first quarantine is; each further crash doubles it
	Most    time.Duration // but no longer than this
	Forget  time.Duration // all is forgotten when it did not crash for so long after a quarantine
}

// DefaultQuarantine lets a package crash three times in a minute.
func DefaultQuarantine() QuarantineConfig {
	return QuarantineConfig{Crashes: 3, Within: time.Minute, First: 10 * time.Second, Most: time.Hour, Forget: 10 * time.Minute}
}

// The bounds of a QuarantineConfig.
const (
	MaxCrashes    = 100
	MaxQuarantine = 7 * 24 * time.Hour
)

// Check reports the first thing that cannot be right.
func (c QuarantineConfig) Check() error {
	for _, d := range []struct {
		name string
		time.Duration
	}{{"within", c.Within}, {"first", c.First}, {"most", c.Most}, {"forget", c.Forget}} {
		if d.Duration <= 0 || d.Duration > MaxQuarantine {
			return fmt.Errorf("%s: %v is not above 0 and at most %v", d.name, d.Duration, MaxQuarantine)
		}
	}
	switch {
	case c.Crashes < 0 || c.Crashes > MaxCrashes:
		return fmt.Errorf("crashes: %d is not between 0 and %d", c.Crashes, MaxCrashes)
	case c.Most < c.First:
		return fmt.Errorf("most: %v is less than first, %v", c.Most, c.First)
	}
	return nil
}

// Crash reports whether an end counts against a package. An end of the
// program's own or the operator's choice does not, nor a signal with which
// people and service managers end programs; nor one that is not its fault.
func Crash(e mp.Exit) bool {
	switch e.Cause {
	case mp.CauseMemoryViolation, mp.CauseSeccomp, mp.CauseProtocol, mp.CauseMemoryLimit, mp.CauseCallLimit, mp.CauseRule:
		return true
	case mp.CauseSignal:
		return !slices.Contains(polite, e.Signal)
	}
	return false
}

// polite are SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGPIPE and SIGTERM (signal(7)):
// a fault or a limit of the program's own would have another cause.
var polite = []int{1, 2, 3, 9, 13, 15}

// maxRecords bounds the packages whose crashes are remembered.
const maxRecords = 1024

// Record is what is known of a package that crashed.
type Record struct {
	Digest  mp.Digest
	App     mp.AppID
	Crashes int // since it was last forgotten
	Until   time.Time
	Last    mp.Exit
}

// Quarantine counts crashes. It is not safe for concurrent use.
type Quarantine struct {
	cfg     QuarantineConfig
	records map[mp.Digest]*record
}

type record struct {
	Record
	recent []time.Time   // crashes within the time that counts, oldest first
	delay  time.Duration // of the latest quarantine; 0 is none yet
	at     time.Time     // of the latest crash
}

// NewQuarantine makes one that remembers nothing.
func NewQuarantine(cfg QuarantineConfig) (*Quarantine, error) {
	q := &Quarantine{records: map[mp.Digest]*record{}}
	return q, q.Configure(cfg)
}

// Configure puts other settings in force for the crashes to come. Without any
// quarantine to come, those that are end.
func (q *Quarantine) Configure(cfg QuarantineConfig) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	q.cfg = cfg
	if cfg.Crashes == 0 {
		clear(q.records)
	}
	return nil
}

// Crashed takes note of an end for which Crash is true. It returns until when
// the package may not be started (the zero time: it may), and how often it has
// crashed. A package without a digest cannot be told from others.
func (q *Quarantine) Crashed(d mp.Digest, app mp.AppID, now time.Time, exit mp.Exit) (until time.Time, crashes int) {
	if q.cfg.Crashes == 0 || d == (mp.Digest{}) {
		return time.Time{}, 0
	}
	r := q.find(d, now)
	if r == nil {
		r = q.make(d, app)
	}
	r.crashed(now, exit, q.cfg)
	if now.Before(r.Until) {
		until = r.Until
	}
	return until, r.Crashes
}

// crashed counts one crash. Those in a quarantine are of programs that were
// started before it, and do not make it longer.
func (r *record) crashed(now time.Time, exit mp.Exit, cfg QuarantineConfig) {
	r.Crashes++
	r.Last, r.at = exit, now
	r.recent = slices.DeleteFunc(append(r.recent, now), func(t time.Time) bool { return now.Sub(t) >= cfg.Within || t.After(now) })
	switch {
	case now.Before(r.Until):
	case r.delay > 0:
		r.close(now, min(2*r.delay, cfg.Most))
	case len(r.recent) >= cfg.Crashes:
		r.close(now, cfg.First)
	}
}

func (r *record) close(now time.Time, delay time.Duration) {
	r.delay, r.Until, r.recent = delay, now.Add(delay), nil
}

// Blocked tells of a package that may not be started now.
func (q *Quarantine) Blocked(d mp.Digest, now time.Time) (Record, bool) {
	r := q.find(d, now)
	if r == nil || !now.Before(r.Until) {
		return Record{}, false
	}
	return r.Record, true
}

// List tells of every package that may not be started now, the one that is let
// go first first.
func (q *Quarantine) List(now time.Time) []Record {
	var all []Record
	for d := range q.records {
		if r, ok := q.Blocked(d, now); ok {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Record) int {
		if c := a.Until.Compare(b.Until); c != 0 {
			return c
		}
		return strings.Compare(a.Digest.String(), b.Digest.String())
	})
	return all
}

// Clear forgets the crashes of a package by its digest, or of all packages of
// an application by its name, and tells whom it forgot.
func (q *Quarantine) Clear(what string) []Record {
	var cleared []Record
	for d, r := range q.records {
		if what == d.String() || what == string(r.App) {
			cleared = append(cleared, r.Record)
			delete(q.records, d)
		}
	}
	return cleared
}

// find gives the record of a package, unless it is to be forgotten by now.
func (q *Quarantine) find(d mp.Digest, now time.Time) *record {
	r := q.records[d]
	if r == nil {
		return nil
	}
	if r.Until.Sub(now) > r.delay { // the clock went back
		r.Until, r.at = now.Add(r.delay), now
	}
	end := r.at.Add(q.cfg.Within)
	if r.delay > 0 {
		end = later(r.at, r.Until).Add(q.cfg.Forget)
	}
	if !now.Before(end) {
		delete(q.records, d)
		return nil
	}
	return r
}

// make begins a record, in the place of the one that crashed longest ago if
// there are too many.
func (q *Quarantine) make(d mp.Digest, app mp.AppID) *record {
	if len(q.records) >= maxRecords {
		var oldest *record
		for _, r := range q.records {
			if oldest == nil || r.at.Before(oldest.at) {
				oldest = r
			}
		}
		delete(q.records, oldest.Digest)
	}
	r := &record{Record: Record{Digest: d, App: app}}
	q.records[d] = r
	return r
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
