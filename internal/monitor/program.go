package monitor

import (
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// program is what the monitor knows of one program.
type program struct {
	id     mp.InstanceID
	limits mp.Limits
	series series
	since  uint64 // evidence begins after the sample of this number

	seen    bool // there is a sample to compare the next with
	at      time.Time
	before  Counters
	refused refusals

	rules map[string]*ruleState
}

// ruleState is where a rule stands with one program.
type ruleState struct {
	since     uint64    // its evidence begins after the sample of this number
	rest      time.Time // no answer before
	throttled float64   // the factor that is in force; 0 is none
}

// take adds a sample, and reports whether there are new rates.
func (p *program) take(at time.Time, now Counters, gap time.Duration) bool {
	over := at.Sub(p.at)
	comparable := p.seen && over > 0 && over <= gap && now.CPU >= p.before.CPU
	if comparable {
		r := between(p.before, now, over, p.limits)
		r.At = at
		if over < toldEvery {
			r.Denials = p.refused.rate(at, now.Denials)
		} else {
			p.refused.begin(at, now.Denials)
		}
		p.series.add(r)
	} else {
		p.since = p.series.last
		p.refused.begin(at, now.Denials)
	}
	if p.seen && over < 0 { // the clock went back: so do the ends of rests
		for _, s := range p.rules {
			s.rest = s.rest.Add(over)
		}
	}
	p.seen, p.at, p.before = true, at, now
	return comparable
}

// walk looks at the newest samples by one rule.
func (p *program) walk(r *Rule) (Answer, bool) {
	if r.Action == ActionOff {
		return Answer{}, false
	}
	s := p.rules[r.Name]
	if s == nil {
		s = &ruleState{}
		p.rules[r.Name] = s
	}
	if s.throttled > 0 {
		return p.calm(r, s)
	}
	if p.at.Before(s.rest) {
		return Answer{}, false
	}
	e, broken := p.series.window(r.Metric.reader(), func(v float64) bool { return v > r.Above }, max(p.since, s.since), r.For)
	if !broken {
		return Answer{}, false
	}
	e.Metric, e.Threshold = r.Metric, r.Above
	s.answered(p, r)
	a := Answer{ID: p.id, Rule: r.Name, Action: r.Action, Evidence: e}
	if r.Action == ActionThrottle {
		s.throttled = r.Factor
		a.CPU = p.quota(p.limits.CPU)
	}
	return a, true
}

// calm looks whether a throttled program may be released.
func (p *program) calm(r *Rule, s *ruleState) (Answer, bool) {
	e, calm := p.series.window(r.Metric.reader(), func(v float64) bool { return v <= r.Below }, max(p.since, s.since), r.Calm)
	if !calm {
		return Answer{}, false
	}
	e.Metric, e.Threshold = r.Metric, r.Below
	s.answered(p, r)
	s.throttled = 0
	return Answer{ID: p.id, Rule: r.Name, Action: ActionRelease, CPU: p.quota(p.limits.CPU), Evidence: e}, true
}

// answered begins the evidence of a rule anew.
func (s *ruleState) answered(p *program, r *Rule) {
	s.since = p.series.last
	s.rest = p.at.Add(r.Cooldown)
}

// forget drops what a rule knows, and releases what it throttled.
func (p *program) forget(rule string) []Answer {
	s := p.rules[rule]
	delete(p.rules, rule)
	if s == nil || s.throttled == 0 {
		return nil
	}
	return []Answer{{ID: p.id, Rule: rule, Action: ActionRelease, CPU: p.quota(p.limits.CPU)}}
}

// throttle gives the rule that holds the program back most, and by which
// factor; 1 if there is none.
func (p *program) throttle() (rule string, factor float64) {
	factor = 1
	for name, s := range p.rules {
		if s.throttled > 0 && (s.throttled < factor || s.throttled == factor && name < rule) {
			rule, factor = name, s.throttled
		}
	}
	return rule, factor
}

// quota is a processor limit, less what throttles it.
func (p *program) quota(limit float64) float64 {
	_, factor := p.throttle()
	return max(limit*factor, min(limit, mp.MinCPU))
}
