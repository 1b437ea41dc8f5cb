package monitor

import "time"

// Refusals are told by the kernel at any rate, and to the monitor once a second
// (see launch.Denied). Between two samples that are closer together than that
// there are all of a second's, or none: their rate is one of a longer time.
const (
	toldEvery   = time.Second
	refusalTime = toldEvery + toldEvery/2 // in which one telling falls at least
)

// refusals are the counts of refused system calls of some latest samples, the
// oldest of which is refusalTime old, if there is one as old.
type refusals []refusal

type refusal struct {
	at    time.Time
	count uint64
}

// rate adds a count, and gives the rate since the oldest that is kept.
func (r *refusals) rate(at time.Time, count uint64) float64 {
	kept := append(*r, refusal{at, count})
	for len(kept) > 2 && at.Sub(kept[1].at) >= refusalTime {
		kept = kept[1:]
	}
	*r = kept
	return float64(grown(kept[0].count, count)) / at.Sub(kept[0].at).Seconds()
}

// begin forgets all counts but one.
func (r *refusals) begin(at time.Time, count uint64) { *r = refusals{{at, count}} }
