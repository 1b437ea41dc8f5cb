package monitor

import (
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Counters are what a program has used at one moment. All but Memory, Pids and
// Frozen only grow while it runs.
type Counters struct {
	CPU         time.Duration
	Memory      uint64        // bytes
	Pids        uint64        // tasks
	Periods     uint64        // of the processor quota
	Throttled   uint64        // periods in which it was held back
	Faults      uint64        // page faults
	MajorFaults uint64        // those that read from a disk
	Reclaimed   uint64        // bytes that the kernel took back for the limit
	Stalled     time.Duration // in which some task waited for memory
	Frozen      bool
	IPCMessages uint64 // from the program
	LogLines    uint64 // console lines, dropped ones included
	LogDropped  uint64 // console lines above the log rate
	Denials     uint64 // system calls that its filter refused
}

// Rates are what a program used in the time up to At. Unless it says otherwise
// a member is for a second.
type Rates struct {
	At     time.Time
	Over   time.Duration // the time that the rates are of
	Frozen bool          // at its end

	CPU            float64 // processors
	CPURatio       float64 // of the limit
	Memory         uint64  // bytes at its end
	MemoryRatio    float64 // of the limit
	Pids           uint64  // tasks at its end
	PidsRatio      float64 // of the limit
	ThrottledRatio float64 // of the periods of its quota
	Faults         float64
	MajorFaults    float64
	Reclaimed      float64 // bytes
	StalledRatio   float64 // of the time
	IPCMessages    float64
	IPCRatio       float64 // of the limit
	LogLines       float64 // dropped ones included
	LogDropped     float64
	Denials        float64
}

// between gives the rates from one sample to the next, over a time that is
// positive. A counter that went down counted nothing.
func between(from, to Counters, over time.Duration, limits mp.Limits) Rates {
	seconds := over.Seconds()
	rate := func(from, to uint64) float64 { return float64(grown(from, to)) / seconds }
	r := Rates{
		Over: over, Frozen: to.Frozen, Memory: to.Memory, Pids: to.Pids,
		CPU:            grown(from.CPU, to.CPU).Seconds() / seconds,
		ThrottledRatio: ratio(float64(grown(from.Throttled, to.Throttled)), float64(grown(from.Periods, to.Periods))),
		Faults:         rate(from.Faults, to.Faults),
		MajorFaults:    rate(from.MajorFaults, to.MajorFaults),
		Reclaimed:      rate(from.Reclaimed, to.Reclaimed),
		StalledRatio:   min(grown(from.Stalled, to.Stalled).Seconds()/seconds, 1),
		IPCMessages:    rate(from.IPCMessages, to.IPCMessages),
		LogLines:       rate(from.LogLines, to.LogLines),
		LogDropped:     rate(from.LogDropped, to.LogDropped),
		Denials:        rate(from.Denials, to.Denials),
	}
	r.CPURatio = ratio(r.CPU, limits.CPU)
	r.MemoryRatio = ratio(float64(r.Memory), float64(limits.Memory))
	r.PidsRatio = ratio(float64(r.Pids), float64(limits.Pids))
	r.IPCRatio = ratio(r.IPCMessages, float64(limits.IPCRate))
	return r
}

func grown[T ~int64 | ~uint64](from, to T) T { return max(to, from) - from }

// ratio is 0 where there is nothing to be a part of.
func ratio(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return part / whole
}
