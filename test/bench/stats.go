package main

import (
	"slices"
	"time"
)

// Stats sums up the samples of one arm, all in the row's unit.
type Stats struct {
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	CPU float64 `json:"cpu"` // processor milliseconds a sample, mean; 0 where it was not measured
}

func summarize(samples []float64, cpu time.Duration) Stats {
	s := slices.Clone(samples)
	slices.Sort(s)
	at := func(q float64) float64 { return s[min(len(s)-1, int(q*float64(len(s))))] }
	return Stats{Min: s[0], P50: at(0.5), P90: at(0.9), CPU: cpu.Seconds() * 1000 / float64(len(s))}
}

// Row is one line of the table.
type Row struct {
	Metric string  `json:"metric"`
	N      int     `json:"n"` // samples of each arm
	Unit   string  `json:"unit"`
	Ours   Stats   `json:"ours"`
	Peer   string  `json:"peer,omitempty"`
	Theirs *Stats  `json:"theirs,omitempty"`
	Ratio  float64 `json:"ratio,omitempty"`  // ours to theirs, of the p50; 0 without a peer
	Target float64 `json:"target,omitempty"` // the most that Ratio may be, or Ours.P50 without a peer; 0 for information
	Holds  *bool   `json:"holds,omitempty"`  // whether the target is met
}

// against completes a row with its peer's figures and its target.
func (r Row) against(peer string, theirs Stats, target float64) Row {
	r.Peer, r.Theirs, r.Target = peer, &theirs, target
	r.Ratio = r.Ours.P50 / theirs.P50
	return r.judge(r.Ratio)
}

// within completes a row that has a target and no peer.
func (r Row) within(target float64) Row {
	r.Target = target
	return r.judge(r.Ours.P50)
}

func (r Row) judge(figure float64) Row {
	if r.Target > 0 {
		holds := figure <= r.Target
		r.Holds = &holds
	}
	return r
}
