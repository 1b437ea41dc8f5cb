package supervisor

import (
	"context"
	"maps"
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/metric"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Stats tells what programs use by the samples that there are: it asks nobody.
func (v *service) Stats(_ context.Context, req *controlpb.StatsRequest) (*controlpb.StatsResponse, error) {
	all := v.s.list(false)
	if id := req.GetId(); id != "" {
		i, err := v.s.find(id)
		if err != nil {
			return nil, err
		}
		all = []*instance{i}
	}
	res := &controlpb.StatsResponse{}
	for _, i := range all {
		res.Stats = append(res.Stats, v.s.stats(i, req.GetHistory()))
	}
	return res, nil
}

func (s *Supervisor) stats(i *instance, history bool) *controlpb.Stats {
	now, any, all, by := s.watch.seen(i.id, history)
	i.mu.Lock()
	sampled := i.sampled
	i.mu.Unlock()
	out := &controlpb.Stats{
		Program:     i.program(launch.Stat{Memory: sampled.Memory, CPU: sampled.CPU}),
		Limits:      encodeLimits(i.bounds()),
		Denials:     i.witness.count(),
		ThrottledBy: by,
	}
	if any {
		out.Now = encodeRates(now)
	}
	for _, r := range all {
		out.History = append(out.History, encodeRates(r))
	}
	return out
}

func encodeRates(r monitor.Rates) *controlpb.Sample {
	return &controlpb.Sample{
		Time:           timestamppb.New(r.At),
		Cpu:            r.CPU,
		MemoryBytes:    r.Memory,
		MemoryRatio:    r.MemoryRatio,
		Pids:           r.Pids,
		ThrottledRatio: r.ThrottledRatio,
		Faults:         r.Faults,
		MajorFaults:    r.MajorFaults,
		ReclaimedBytes: r.Reclaimed,
		StalledRatio:   r.StalledRatio,
		IpcMessages:    r.IPCMessages,
		LogLines:       r.LogLines,
		Denials:        r.Denials,
	}
}

// totals counts what happened since the supervisor began.
type totals struct {
	mu       sync.Mutex
	starts   uint64
	failures uint64
	ends     map[mp.Cause]uint64
	denials  uint64
	answers  map[metric.Answer]uint64
}

func newTotals() totals {
	return totals{ends: map[mp.Cause]uint64{}, answers: map[metric.Answer]uint64{}}
}

func (t *totals) count(n *uint64, more uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*n = saturated(*n, more)
}

func (t *totals) ended(cause mp.Cause) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends[cause]++
}

func (t *totals) answered(a monitor.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[metric.Answer{Rule: a.Rule, Action: a.Action}]++
}

// Metrics is the snapshot that a scrape is answered with. It implements
// metric.Source.
func (s *Supervisor) Metrics() metric.Snapshot {
	out := metric.Snapshot{MaxPrograms: s.current().MaxPrograms, Events: s.events.kinds(), Quarantined: s.watch.blocked()}
	out.Packages, out.PackageBytes = s.packages.kept()
	s.totals.mu.Lock()
	out.Starts, out.StartFailures, out.Denials = s.totals.starts, s.totals.failures, s.totals.denials
	out.Ends, out.Answers = maps.Clone(s.totals.ends), maps.Clone(s.totals.answers)
	s.totals.mu.Unlock()
	for _, i := range s.list(false) {
		out.Programs = append(out.Programs, s.measured(i))
	}
	return out
}

func (s *Supervisor) measured(i *instance) metric.Program {
	_, _, _, by := s.watch.seen(i.id, false)
	i.mu.Lock()
	defer i.mu.Unlock()
	return metric.Program{
		ID: i.id, App: i.app(), Runtime: i.prog.runtime(), Started: i.born, Limits: i.limits,
		Calls: i.calls, Throttled: by != "", Counters: i.sampled,
	}
}
