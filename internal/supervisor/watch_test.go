package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/metric"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// watching is a rig that samples fast, with one rule.
func watching(t *testing.T, rule monitor.Rule) *rig {
	return newRig(t, func(c *Config) {
		c.Monitor = monitor.Config{Interval: monitor.MinInterval, History: 10 * time.Second, Rules: []monitor.Rule{rule}}
	})
}

// use sets what workers are found to use.
func (r *rig) use(f func(id mp.InstanceID) (launch.Sample, bool)) {
	r.launcher.mu.Lock()
	defer r.launcher.mu.Unlock()
	r.launcher.use = f
}

// until waits until something is so.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	for range 10000 {
		if so() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	r.t.Fatalf("it never came that %s", what)
}

// burning is a use of processors, from when it is first asked about.
func burning(processors *atomic.Int64) func(mp.InstanceID) (launch.Sample, bool) {
	last, used := time.Now(), time.Duration(0)
	return func(mp.InstanceID) (launch.Sample, bool) {
		now := time.Now()
		used += now.Sub(last) * time.Duration(processors.Load())
		last = now
		return launch.Sample{CPU: used, Memory: 32 << 20, Peak: 40 << 20, Pids: 7}, true
	}
}

var busy = monitor.Rule{Name: "busy", Metric: monitor.MetricCPURatio, Above: 0.9, For: 300 * time.Millisecond, Action: monitor.ActionOff}

func TestThrottleAndRelease(t *testing.T) {
	rule := busy
	rule.Action, rule.Factor, rule.Below, rule.Calm = monitor.ActionThrottle, 0.5, 0.2, 300*time.Millisecond
	r := watching(t, rule)
	var processors atomic.Int64
	processors.Store(1)
	id := r.mustStart()
	r.use(burning(&processors))
	r.until("it is throttled", func() bool { return r.enforced(id).CPU == 0.5 })
	if l, err := r.update(id, &controlpb.Limits{Cpu: ptr(0.8)}); err != nil || l.GetCpu() != 0.8 || r.enforced(id).CPU != 0.4 {
		t.Errorf("updated while throttled: %v, in force %g, %v", l, r.enforced(id).CPU, err)
	}
	stats, err := r.client.Stats(context.Background(), &controlpb.StatsRequest{Id: id})
	if err != nil || stats.GetStats()[0].GetThrottledBy() != "busy" {
		t.Errorf("stats %v, %v", stats, err)
	}
	processors.Store(0)
	r.until("it is released", func() bool { return r.enforced(id).CPU == 0.8 })
	r.until("it is told", func() bool { return len(r.eventsOf(id, eventUnthrottled)) == 1 })
	rules := r.eventsOf(id, eventRule)
	if len(rules) != 2 || rules[0]["rule"] != "busy" || rules[0]["action"] != "throttle" || rules[0]["value"] == "" || rules[1]["action"] != "release" {
		t.Errorf("evidence %v", rules)
	}
	r.alive(id)
}

func TestRuleFreezes(t *testing.T) {
	rule := busy
	rule.Action = monitor.ActionFreeze
	r := watching(t, rule)
	var processors atomic.Int64
	processors.Store(1)
	id := r.mustStart()
	r.use(burning(&processors))
	r.until("it is frozen", func() bool { return len(r.eventsOf(id, eventFrozen)) == 1 })
	if by := r.eventsOf(id, eventFrozen)[0]["by"]; by != "rule busy" || r.state(id) != "frozen" {
		t.Errorf("frozen by %q, state %s", by, r.state(id))
	}
}

func TestRuleEnds(t *testing.T) {
	rule := monitor.Rule{Name: "denials", Metric: monitor.MetricDenials, Above: 10, For: 200 * time.Millisecond, Action: monitor.ActionEnd}
	r := watching(t, rule)
	var asked atomic.Int64
	id := r.mustStart()
	r.use(func(mp.InstanceID) (launch.Sample, bool) {
		asked.Add(1)
		r.launcher.notices <- launch.Notice{Denied: &launch.Denied{ID: mp.InstanceID(id), Syscall: "mount", Arch: "x86_64", Action: "refused", Count: 100}}
		return launch.Sample{CPU: time.Duration(asked.Load())}, true
	})
	e := r.exit(id)
	if e.Cause != mp.CauseRule || !strings.Contains(e.Detail, "denials") || e.Status() != 137 {
		t.Errorf("ended: %v", e)
	}
}

// While nothing runs nobody is asked; what begins is looked at, at once.
func TestSamplingSleeps(t *testing.T) {
	r := watching(t, busy)
	var n atomic.Int64
	samples := func() int {
		r.launcher.mu.Lock()
		defer r.launcher.mu.Unlock()
		return r.launcher.samples
	}
	time.Sleep(3 * monitor.MinInterval)
	if got := samples(); got != 0 {
		t.Errorf("%d samples of nothing", got)
	}
	r.use(func(mp.InstanceID) (launch.Sample, bool) {
		n.Add(1)
		return launch.Sample{CPU: time.Duration(n.Load())}, true
	})
	id := r.mustStart()
	r.until("it is sampled", func() bool { return n.Load() > 1 })
	r.kill(id)
	r.until("sampling rests", func() bool {
		before := samples()
		time.Sleep(3 * monitor.MinInterval)
		return samples() == before
	})
	if _, any, _, _ := r.watch.seen(mp.InstanceID(id), false); any {
		t.Error("the samples of a program that ended are kept")
	}
}

// Many programs are asked about some at a time.
func TestSamplingManyPrograms(t *testing.T) {
	r := newRig(t)
	var all []*instance
	for n := range 256 {
		i := newInstance(r.Supervisor, program{role: launch.RoleJS}, mp.DefaultLimits(), DefaultSettings())
		i.id = mp.InstanceID(fmt.Sprintf("many-%d", n))
		all = append(all, i)
	}
	r.watch.sample(context.Background(), all)
	r.launcher.mu.Lock()
	defer r.launcher.mu.Unlock()
	if r.launcher.samples != 4 {
		t.Errorf("%d requests for 256 programs", r.launcher.samples)
	}
}

func TestStatsAndMetrics(t *testing.T) {
	r := watching(t, busy)
	var processors atomic.Int64
	processors.Store(2)
	id := r.mustStart()
	r.use(burning(&processors))
	var res *controlpb.StatsResponse
	r.until("there are rates", func() bool {
		var err error
		res, err = r.client.Stats(context.Background(), &controlpb.StatsRequest{History: true})
		return err == nil && len(res.GetStats()) == 1 && len(res.GetStats()[0].GetHistory()) > 2
	})
	s := res.GetStats()[0]
	if s.GetProgram().GetId() != id || s.GetNow().GetCpu() < 1 || s.GetNow().GetMemoryRatio() != 0.5 || s.GetNow().GetPids() != 7 || s.GetLimits().GetPids() != 32 {
		t.Errorf("stats %v", s)
	}
	if _, err := r.client.Stats(context.Background(), &controlpb.StatsRequest{Id: "nobody"}); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	m := r.Metrics()
	if len(m.Programs) != 1 || m.Programs[0].ID != mp.InstanceID(id) || m.Programs[0].Memory != 32<<20 || m.Starts != 1 || m.Packages != 1 || m.Events[eventRunning] != 1 {
		t.Errorf("metrics %+v", m)
	}
	r.kill(id)
	if m := r.Metrics(); m.Ends[mp.CauseKilled] != 1 || len(m.Programs) != 0 {
		t.Errorf("metrics after the end %+v", m)
	}
}

func TestAnswersAreCounted(t *testing.T) {
	rule := busy
	rule.Action, rule.Cooldown = monitor.ActionReport, time.Hour
	r := watching(t, rule)
	var processors atomic.Int64
	processors.Store(1)
	id := r.mustStart()
	r.use(burning(&processors))
	want := metric.Answer{Rule: "busy", Action: monitor.ActionReport}
	r.until("it is reported", func() bool { return r.Metrics().Answers[want] == 1 })
	r.alive(id)
}

// A package that crashes too often may not be started for a while, and others may.
func TestQuarantine(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Quarantine = monitor.QuarantineConfig{Crashes: 2, Within: time.Minute, First: 300 * time.Millisecond, Most: time.Hour, Forget: time.Minute}
	})
	other := r.put("other")
	crash := onBoot(crashing)
	r.launcher.next(crash)
	for range 2 {
		if res, err := r.start(); err != nil || res.GetExit() == nil {
			t.Fatalf("%v, %v", res, err)
		}
	}
	_, err := r.start()
	if !errors.Is(err, mp.ErrQuarantine) || !strings.Contains(err.Error(), "crashed 2 times") || !strings.Contains(err.Error(), "quarantine clear "+r.digest) {
		t.Errorf("a start in quarantine: %v", err)
	}
	list, err := r.client.Quarantine(context.Background(), &controlpb.QuarantineRequest{})
	if err != nil || len(list.GetQuarantined()) != 1 || list.GetQuarantined()[0].GetDigest() != r.digest || list.GetQuarantined()[0].GetCrashes() != 2 {
		t.Errorf("listed %v, %v", list, err)
	}
	if r.Metrics().Quarantined != 1 {
		t.Error("the metrics do not tell")
	}
	r.launcher.next(honest)
	if _, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: other}); err != nil {
		t.Errorf("another package: %v", err)
	}
	r.until("its time is over", func() bool { _, err := r.start(); return err == nil })
	r.until("that is told", func() bool { return len(r.eventsOf("", eventReleased)) == 1 })

	r.launcher.next(crash)
	r.start()
	if _, err := r.start(); !errors.Is(err, mp.ErrQuarantine) {
		t.Errorf("after one more crash: %v", err)
	}
	clear := func(what string) error {
		_, err := r.client.Quarantine(context.Background(), &controlpb.QuarantineRequest{Clear: what})
		return err
	}
	if err := clear("com.example.unknown"); !errors.Is(err, control.ErrBadRequest) {
		t.Errorf("an application that did not crash: %v", err)
	}
	if err := clear("com.example.one"); err != nil {
		t.Error(err)
	}
	r.launcher.next(honest)
	r.mustStart()
	if n := len(r.eventsOf("", eventReleased)); n != 2 {
		t.Errorf("%d releases are told", n)
	}
}
