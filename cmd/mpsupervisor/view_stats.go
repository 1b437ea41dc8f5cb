package main

import (
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

type statsView struct {
	Program     programView  `json:"program"`
	Limits      limitsView   `json:"limits"`
	Now         *sampleView  `json:"now"`          // null before the second sample
	History     []sampleView `json:"history"`      // empty unless it was asked for
	Denials     uint64       `json:"denials"`      // since the start
	ThrottledBy string       `json:"throttled_by"` // the monitor's rule that holds it back; "" is none
}

// sampleView is what a program used in the time up to it. Rates are for a second.
type sampleView struct {
	Time           *string `json:"time"`
	CPU            float64 `json:"cpu"` // processors
	Memory         uint64  `json:"memory_bytes"`
	MemoryRatio    float64 `json:"memory_ratio"` // of the limit
	Pids           uint64  `json:"pids"`
	ThrottledRatio float64 `json:"throttled_ratio"` // of the periods of its quota
	Faults         float64 `json:"faults"`
	MajorFaults    float64 `json:"major_faults"`
	Reclaimed      float64 `json:"reclaimed_bytes"`
	StalledRatio   float64 `json:"stalled_ratio"` // of the time, waiting for memory
	IPCMessages    float64 `json:"ipc_messages"`
	LogLines       float64 `json:"log_lines"`
	Denials        float64 `json:"denials"`
	at             time.Time
}

func viewStats(s *controlpb.Stats) statsView {
	v := statsView{
		Program: viewProgram(s.GetProgram()), Limits: viewLimits(s.GetLimits()), History: []sampleView{},
		Denials: s.GetDenials(), ThrottledBy: s.GetThrottledBy(),
	}
	if s.GetNow() != nil {
		now := viewSample(s.GetNow())
		v.Now = &now
	}
	for _, h := range s.GetHistory() {
		v.History = append(v.History, viewSample(h))
	}
	return v
}

func viewSample(s *controlpb.Sample) sampleView {
	return sampleView{
		Time: stamp(s.GetTime()), CPU: s.GetCpu(), Memory: s.GetMemoryBytes(), MemoryRatio: s.GetMemoryRatio(),
		Pids: s.GetPids(), ThrottledRatio: s.GetThrottledRatio(), Faults: s.GetFaults(), MajorFaults: s.GetMajorFaults(),
		Reclaimed: s.GetReclaimedBytes(), StalledRatio: s.GetStalledRatio(), IPCMessages: s.GetIpcMessages(),
		LogLines: s.GetLogLines(), Denials: s.GetDenials(), at: s.GetTime().AsTime(),
	}
}
