package monitor

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

var noon = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

const one = mp.InstanceID("one")

// rig feeds a monitor with a program's samples, a second apart.
type rig struct {
	*testing.T
	m      *Monitor
	limits mp.Limits
	at     time.Time
	now    Counters
}

func newRig(t *testing.T, rules ...Rule) *rig {
	t.Helper()
	m, err := New(Config{Interval: time.Second, History: 2 * time.Minute, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, m: m, limits: mp.DefaultLimits(), at: noon}
	r.m.Add(one, r.at, r.limits, r.now)
	return r
}

// after takes the next sample, some time later.
func (r *rig) after(d time.Duration, use func(*Counters)) []Answer {
	use(&r.now)
	r.at = r.at.Add(d)
	return r.m.Add(one, r.at, r.limits, r.now)
}

// seconds takes n samples, and returns all answers and after how many seconds
// the first one came.
func (r *rig) seconds(n int, use func(*Counters)) (answers []Answer, first int) {
	for i := range n {
		a := r.after(time.Second, use)
		if len(a) > 0 && len(answers) == 0 {
			first = i + 1
		}
		answers = append(answers, a...)
	}
	return answers, first
}

func burn(part float64) func(*Counters) {
	return func(c *Counters) { c.CPU += time.Duration(part * float64(time.Second)) }
}

func denied(n uint64) func(*Counters) { return func(c *Counters) { c.Denials += n } }

func idle(*Counters) {}

func (r *rig) expect(answers []Answer, want ...string) {
	r.Helper()
	var got []string
	for _, a := range answers {
		got = append(got, a.Rule+" "+string(a.Action))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		r.Fatalf("answers %v, want %v", got, want)
	}
}

func cpuRule() Rule { return DefaultRules()[0] }

func TestRates(t *testing.T) {
	r := newRig(t)
	if _, ok := r.m.Latest(one); ok {
		t.Error("rates from one sample")
	}
	r.limits.CPU, r.limits.Memory, r.limits.Pids, r.limits.IPCRate = 2, 64<<20, 32, 100
	r.after(2*time.Second, func(c *Counters) {
		*c = Counters{CPU: time.Second, Memory: 16 << 20, Pids: 8, Periods: 20, Throttled: 5, Faults: 200, MajorFaults: 10,
			Reclaimed: 8192, Stalled: 500 * time.Millisecond, IPCMessages: 20, LogLines: 6, LogDropped: 4, Denials: 2}
	})
	want := Rates{At: noon.Add(2 * time.Second), Over: 2 * time.Second, CPU: 0.5, CPURatio: 0.25, Memory: 16 << 20, MemoryRatio: 0.25,
		Pids: 8, PidsRatio: 0.25, ThrottledRatio: 0.25, Faults: 100, MajorFaults: 5, Reclaimed: 4096, StalledRatio: 0.25,
		IPCMessages: 10, IPCRatio: 0.1, LogLines: 3, LogDropped: 2, Denials: 1}
	if got, ok := r.m.Latest(one); !ok || got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMetricsReadTheirMember(t *testing.T) {
	r := Rates{CPU: 1, CPURatio: 2, MemoryRatio: 3, PidsRatio: 4, ThrottledRatio: 5, Faults: 6, MajorFaults: 7, Reclaimed: 8,
		StalledRatio: 9, IPCMessages: 10, IPCRatio: 11, LogLines: 12, LogDropped: 13, Denials: 14}
	for i, m := range metrics {
		if got := m.of(r); got != float64(i+1) {
			t.Errorf("%s reads %g, want %d", m.name, got, i+1)
		}
	}
}

func TestCPUIsThrottledAndReleased(t *testing.T) {
	r := newRig(t, cpuRule())
	answers, after := r.seconds(60, burn(1))
	r.expect(answers, "cpu throttle")
	a := answers[0]
	if after != 60 || a.CPU != 0.5 || a.ID != one || a.Value != 1 || a.Peak != 1 || a.Samples != 60 || a.Window != time.Minute || a.Threshold != 0.95 || a.Metric != MetricCPURatio {
		t.Errorf("after %d s: %+v", after, a)
	}
	if r.m.ThrottledBy(one) != "cpu" || r.m.Quota(one, 2) != 1 {
		t.Errorf("throttled by %q, quota %g", r.m.ThrottledBy(one), r.m.Quota(one, 2))
	}
	// At its lowered quota it is not calm, however long.
	answers, _ = r.seconds(110, burn(0.5))
	r.expect(answers)
	answers, after = r.seconds(40, burn(0.1))
	r.expect(answers, "cpu release")
	if answers[0].CPU != 1 || after < 27 || after > 30 || answers[0].Value > 0.25 {
		t.Errorf("after %d s: %+v", after, answers[0])
	}
	if r.m.ThrottledBy(one) != "" || r.m.Quota(one, 2) != 2 {
		t.Error("it is still throttled")
	}
	answers, after = r.seconds(70, burn(1))
	r.expect(answers, "cpu throttle")
	if after < 54 { // nine tenths of the window
		t.Errorf("throttled again after %d s", after)
	}
}

func TestBurstsAndPauses(t *testing.T) {
	rule := Rule{Name: "denials", Metric: MetricDenials, Above: 50, For: 3 * time.Second, Action: ActionEnd, Cooldown: 10 * time.Second}
	r := newRig(t, rule)
	for range 20 { // two of three seconds, however loud
		answers, _ := r.seconds(2, denied(10000))
		r.expect(answers)
		answers, _ = r.seconds(1, idle)
		r.expect(answers)
	}
	answers, _ := r.seconds(30, denied(50)) // at the threshold is not above
	r.expect(answers)
	answers, after := r.seconds(3, denied(51))
	r.expect(answers, "denials end")
	if after != 3 {
		t.Errorf("after %d s", after)
	}

	r = newRig(t, cpuRule()) // a pause a second long mends nothing
	for range 5 {
		answers, _ = r.seconds(10, burn(1))
		r.expect(answers)
		answers, _ = r.seconds(1, idle)
		r.expect(answers)
	}
	answers, _ = r.seconds(6, burn(1))
	r.expect(answers, "cpu throttle")
}

func TestCooldown(t *testing.T) {
	r := newRig(t, Rule{Name: "any", Metric: MetricDenials, For: time.Second, Action: ActionReport, Cooldown: 10 * time.Second})
	answers, _ := r.seconds(31, denied(1))
	r.expect(answers, "any report", "any report", "any report", "any report") // at 1, 11, 21, 31
}

func TestJitterOfTheInterval(t *testing.T) {
	r := newRig(t, Rule{Name: "any", Metric: MetricDenials, For: 3 * time.Second, Action: ActionReport})
	var answers []Answer
	for range 3 {
		answers = append(answers, r.after(990*time.Millisecond, denied(1))...)
	}
	r.expect(answers, "any report")
}

func TestTimeAndCounterJumps(t *testing.T) {
	steps := map[string]func(r *rig) []Answer{
		"the clock goes back":     func(r *rig) []Answer { return r.after(-time.Hour, denied(1000)) },
		"the clock stands still":  func(r *rig) []Answer { return r.after(0, denied(1000)) },
		"the host was suspended":  func(r *rig) []Answer { return r.after(time.Hour, denied(1e9)) },
		"the counters begin anew": func(r *rig) []Answer { return r.after(time.Second, func(c *Counters) { *c = Counters{} }) },
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Rule{Name: "any", Metric: MetricDenials, Above: 1, For: 3 * time.Second, Action: ActionReport})
			r.T = t
			answers, _ := r.seconds(1, func(c *Counters) { c.CPU += time.Second; c.Denials += 10 })
			r.expect(answers)
			answers, _ = r.seconds(1, denied(10))
			r.expect(answers)
			r.expect(step(r)) // what was seen before counts no more
			answers, _ = r.seconds(2, denied(10))
			r.expect(answers)
			answers, _ = r.seconds(1, denied(10))
			r.expect(answers, "any report")
			for _, s := range r.m.History(one) {
				if s.Denials < 0 || s.Denials > 1000 || s.Over != time.Second || math.IsNaN(s.CPU) {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

func TestSingleCounterGoesDown(t *testing.T) {
	r := newRig(t)
	r.seconds(1, denied(100))
	r.seconds(1, func(c *Counters) { c.Denials = 5 })
	if got, _ := r.m.Latest(one); got.Denials != 0 {
		t.Errorf("%g denials a second", got.Denials)
	}
}

func TestRestsOutliveAClockThatGoesBack(t *testing.T) {
	r := newRig(t, Rule{Name: "any", Metric: MetricDenials, For: time.Second, Action: ActionReport, Cooldown: 10 * time.Second})
	r.seconds(1, denied(1))
	r.after(-24*time.Hour, idle)
	answers, after := r.seconds(15, denied(1))
	r.expect(answers, "any report")
	if after > 10 {
		t.Errorf("the next answer after %d s", after)
	}
}

func TestFrozenTimeIsNoEvidence(t *testing.T) {
	frozen := func(is bool) func(*Counters) { return func(c *Counters) { c.Frozen = is } }
	r := newRig(t, cpuRule(), Rule{Name: "stop", Metric: MetricDenials, Above: 1, For: 2 * time.Second, Action: ActionFreeze})
	answers, _ := r.seconds(60, burn(1))
	r.expect(answers, "cpu throttle")
	answers, _ = r.seconds(120, frozen(true)) // calm, but it could not be otherwise
	r.expect(answers)
	r.after(time.Second, frozen(false))
	answers, _ = r.seconds(20, idle)
	r.expect(answers)
	answers, _ = r.seconds(10, idle)
	r.expect(answers, "cpu release")

	answers, _ = r.seconds(2, denied(10))
	r.expect(answers, "stop freeze")
	answers, _ = r.seconds(60, frozen(true))
	r.expect(answers)
	r.after(time.Second, frozen(false))
	answers, _ = r.seconds(2, denied(10))
	r.expect(answers, "stop freeze")
}

func TestTwoThrottles(t *testing.T) {
	disk := Rule{Name: "disk", Metric: MetricMajorFaults, Above: 10, For: 5 * time.Second, Action: ActionThrottle, Factor: 0.2, Below: 1, Calm: 5 * time.Second}
	cpu := cpuRule()
	cpu.For, cpu.Calm = 10*time.Second, 20*time.Second
	r := newRig(t, cpu, disk)
	both := func(c *Counters) { burn(1)(c); c.MajorFaults += 100 }
	answers, _ := r.seconds(10, both)
	r.expect(answers, "disk throttle", "cpu throttle")
	if answers[0].CPU != 0.2 || answers[1].CPU != 0.2 || r.m.ThrottledBy(one) != "disk" {
		t.Errorf("%+v, by %s", answers, r.m.ThrottledBy(one))
	}
	answers, _ = r.seconds(20, idle)
	r.expect(answers, "disk release", "cpu release")
	if answers[0].CPU != 0.5 || answers[1].CPU != 1 {
		t.Errorf("%+v", answers)
	}
}

func TestQuotaHasAFloor(t *testing.T) {
	r := newRig(t, cpuRule())
	r.limits.CPU = mp.MinCPU
	answers, _ := r.seconds(60, burn(mp.MinCPU))
	r.expect(answers, "cpu throttle")
	if answers[0].CPU != mp.MinCPU {
		t.Errorf("quota %g", answers[0].CPU)
	}
}

func TestConfigure(t *testing.T) {
	r := newRig(t, cpuRule())
	r.seconds(60, burn(1))
	cfg := DefaultConfig()
	cfg.Interval, cfg.History = time.Second, 3*time.Minute
	if answers, err := r.m.Configure(cfg); err != nil || len(answers) != 0 {
		t.Fatalf("%v, %v", answers, err)
	}
	if r.m.ThrottledBy(one) != "cpu" || len(r.m.History(one)) != 60 {
		t.Error("the same rule was forgotten, or its samples")
	}
	answers, _ := r.seconds(200, burn(0.3)) // over the end of the ring
	r.expect(answers)
	if h := r.m.History(one); len(h) != 180 || h[0].At != r.at.Add(-179*time.Second) || h[179].At != r.at {
		t.Errorf("%d samples, %v to %v", len(h), h[0].At, h[len(h)-1].At)
	}
	cfg.History, cfg.Rules = 30*time.Second, nil
	answers, err := r.m.Configure(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.expect(answers, "cpu release")
	if h := r.m.History(one); len(h) != 30 || h[0].At != r.at.Add(-29*time.Second) || answers[0].CPU != 1 {
		t.Errorf("%d samples, %+v", len(h), answers)
	}
	r.seconds(7, idle)
	if h := r.m.History(one); len(h) != 30 || h[0].At != r.at.Add(-29*time.Second) {
		t.Errorf("%d samples from %v", len(h), h[0].At)
	}
	cfg.Interval = 0
	if _, err := r.m.Configure(cfg); err == nil {
		t.Error("an interval of 0 is taken")
	}
}

func TestDropAndUnknown(t *testing.T) {
	r := newRig(t)
	r.seconds(3, idle)
	r.m.Drop(one)
	if _, ok := r.m.Latest(one); ok || r.m.History(one) != nil || r.m.ThrottledBy(one) != "" || r.m.Quota(one, 3) != 3 || len(r.m.programs) != 0 {
		t.Error("a dropped program is known")
	}
}

func TestRuleChecks(t *testing.T) {
	for _, r := range DefaultRules() {
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	for want, change := range map[string]func(*Rule){
		"name":     func(r *Rule) { r.Name = "A" },
		"metric":   func(r *Rule) { r.Metric = "" },
		"action":   func(r *Rule) { r.Action = ActionRelease },
		"above":    func(r *Rule) { r.Above = math.NaN() },
		"for":      func(r *Rule) { r.For = 0 },
		"cooldown": func(r *Rule) { r.Cooldown = -1 },
		"factor":   func(r *Rule) { r.Factor = 1 },
		"below":    func(r *Rule) { r.Below = math.NaN() },
		"calm at":  func(r *Rule) { r.Below = 0.5 },
		"calm 0s":  func(r *Rule) { r.Calm = 0 },
	} {
		r := cpuRule()
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	twice := DefaultConfig()
	twice.Rules = append(twice.Rules, cpuRule())
	if err := twice.Check(); err == nil || !strings.Contains(err.Error(), "two") {
		t.Errorf("got %v", err)
	}
}

func TestAnswerTexts(t *testing.T) {
	r := newRig(t, cpuRule())
	answers, _ := r.seconds(60, burn(0.987654))
	if got, want := answers[0].String(), "cpu: cpu_ratio 0.988, above 0.95 for 1m0s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := strings.Join(answers[0].Fields(), " ")
	want := "rule cpu action throttle metric cpu_ratio value 0.988 peak 0.988 threshold 0.95 window 1m0s samples 60 cpu 0.5"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	answers, _ = r.seconds(30, idle)
	if got, want := answers[0].String(), "cpu: cpu_ratio 0, calm, at most 0.25 for 30s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// BenchmarkAdd is a second of one program under the default rules.
func BenchmarkAdd(b *testing.B) {
	m, err := New(DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	at, now, limits := noon, Counters{}, mp.DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		now.CPU += time.Second / 2
		m.Add(one, at, limits, now)
	}
}
