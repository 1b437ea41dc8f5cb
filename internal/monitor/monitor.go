package monitor

import (
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Config says how samples are kept and which rules are walked over them.
type Config struct {
	Interval time.Duration // between two samples, as far as the caller manages
	History  time.Duration // how far back samples are kept
	Rules    []Rule        // none answers nothing
}

// DefaultConfig looks every second and remembers two minutes.
func DefaultConfig() Config {
	return Config{Interval: time.Second, History: 2 * time.Minute, Rules: DefaultRules()}
}

// The bounds of a Config.
const (
	MinInterval = 100 * time.Millisecond
	MaxInterval = time.Minute
	MaxSamples  = 3600 // of one program
)

// leastGap and gapIntervals say after which time without a sample the evidence
// begins anew: whichever is longer.
const (
	leastGap     = 10 * time.Second
	gapIntervals = 10
)

// Check reports the first thing that cannot be right.
func (c Config) Check() error {
	switch {
	case c.Interval < MinInterval || c.Interval > MaxInterval:
		return fmt.Errorf("interval %v is not between %v and %v", c.Interval, MinInterval, MaxInterval)
	case c.History < c.Interval || c.History/c.Interval > MaxSamples:
		return fmt.Errorf("history %v is not between one and %d intervals of %v", c.History, MaxSamples, c.Interval)
	}
	return checkRules(c.Rules, c.History)
}

// samples is how many samples a history is.
func (c Config) samples() int { return int((c.History + c.Interval - 1) / c.Interval) }

func (c Config) gap() time.Duration { return max(leastGap, gapIntervals*c.Interval) }

// Monitor keeps the samples of programs and says what is to be done about
// them. It is not safe for concurrent use.
type Monitor struct {
	cfg      Config
	programs map[mp.InstanceID]*program
}

// New makes a monitor that knows no program.
func New(cfg Config) (*Monitor, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Monitor{cfg: cfg, programs: map[mp.InstanceID]*program{}}, nil
}

// Add takes a sample, and answers. A program is known from its first sample
// on, and has rates from its second. limits are what it was given, not what a
// throttle made of them.
func (m *Monitor) Add(id mp.InstanceID, at time.Time, limits mp.Limits, now Counters) []Answer {
	p := m.programs[id]
	if p == nil {
		p = &program{id: id, series: series{size: m.cfg.samples()}, rules: map[string]*ruleState{}}
		m.programs[id] = p
	}
	p.limits = limits
	if !p.take(at, now, m.cfg.gap()) || now.Frozen {
		return nil
	}
	var answers []Answer
	for i := range m.cfg.Rules {
		if a, ok := p.walk(&m.cfg.Rules[i]); ok {
			answers = append(answers, a)
		}
	}
	return answers
}

// Drop forgets a program that has ended.
func (m *Monitor) Drop(id mp.InstanceID) { delete(m.programs, id) }

// Latest gives the newest rates of a program, if it has any.
func (m *Monitor) Latest(id mp.InstanceID) (Rates, bool) {
	p := m.programs[id]
	if p == nil || p.series.last == 0 {
		return Rates{}, false
	}
	return *p.series.at(p.series.last), true
}

// History gives all rates of a program that are kept, oldest first.
func (m *Monitor) History(id mp.InstanceID) []Rates {
	if p := m.programs[id]; p != nil {
		return p.series.all()
	}
	return nil
}

// ThrottledBy names the rule that holds a program back most; "" is none.
func (m *Monitor) ThrottledBy(id mp.InstanceID) string {
	if p := m.programs[id]; p != nil {
		rule, _ := p.throttle()
		return rule
	}
	return ""
}

// Quota gives the processor quota that a program is to have in force, of a
// limit: less where a rule throttles it. A caller whose limit changes, or that
// could not carry an answer out, asks for it and sets that.
func (m *Monitor) Quota(id mp.InstanceID, limit float64) float64 {
	if p := m.programs[id]; p != nil {
		return p.quota(limit)
	}
	return limit
}

// Configure puts another configuration in force. Samples stay as far as there
// is room. A rule that changed, or is no more, begins anew; what it throttled
// is released.
func (m *Monitor) Configure(cfg Config) ([]Answer, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	var answers []Answer
	for _, p := range m.programs {
		for _, old := range m.cfg.Rules {
			if !contains(cfg.Rules, old) {
				answers = append(answers, p.forget(old.Name)...)
			}
		}
		p.series = p.series.resized(cfg.samples())
	}
	m.cfg = cfg
	return answers, nil
}

func contains(rules []Rule, r Rule) bool {
	for _, other := range rules {
		if other == r {
			return true
		}
	}
	return false
}
