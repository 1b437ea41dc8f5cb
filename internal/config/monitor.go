package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
)

// Monitor says how programs are watched, and what is done about abnormal use.
// Programs are sampled whether it is enabled or not: top, stats and the metrics
// need the samples.
type Monitor struct {
	Enabled    bool       `toml:"enabled" json:"enabled"` // the rules are; the quarantine has a switch of its own
	Interval   Duration   `toml:"interval" json:"interval"`
	History    Duration   `toml:"history" json:"history"`
	Quarantine Quarantine `toml:"quarantine" json:"quarantine"`
	Rules      []Rule     `toml:"rule" json:"rule"` // after Parse: all there are, each complete
}

// Quarantine is monitor.QuarantineConfig as people write it.
type Quarantine struct {
	Crashes int      `toml:"crashes" json:"crashes"` // 0 is no quarantine
	Within  Duration `toml:"within" json:"within"`
	First   Duration `toml:"first" json:"first"`
	Most    Duration `toml:"most" json:"most"`
	Forget  Duration `toml:"forget" json:"forget"`
}

// Rule is monitor.Rule as people write it. What is nil or empty in a file is
// taken from the default rule of the same name, if there is one.
type Rule struct {
	Name     string         `toml:"name" json:"name"`
	Metric   monitor.Metric `toml:"metric,omitempty" json:"metric"`
	Above    *float64       `toml:"above,omitempty" json:"above"`
	For      *Duration      `toml:"for,omitempty" json:"for"`
	Action   monitor.Action `toml:"action,omitempty" json:"action"`
	Factor   *float64       `toml:"factor,omitempty" json:"factor,omitempty"`
	Below    *float64       `toml:"below,omitempty" json:"below,omitempty"`
	Calm     *Duration      `toml:"calm,omitempty" json:"calm,omitempty"`
	Cooldown *Duration      `toml:"cooldown,omitempty" json:"cooldown"`
}

// What a rule has that does not say: see complete.
const (
	defaultFactor   = 0.5
	defaultCooldown = time.Minute
)

func defaultMonitor() Monitor {
	c, q := monitor.DefaultConfig(), monitor.DefaultQuarantine()
	m := Monitor{
		Enabled: true, Interval: Duration{c.Interval}, History: Duration{c.History},
		Quarantine: Quarantine{
			Crashes: q.Crashes, Within: Duration{q.Within}, First: Duration{q.First},
			Most: Duration{q.Most}, Forget: Duration{q.Forget},
		},
	}
	for _, r := range c.Rules {
		m.Rules = append(m.Rules, fromRule(r))
	}
	return m
}

// Values gives what package monitor works by: no rules, unless it is enabled.
func (m Monitor) Values() monitor.Config {
	c := m.values()
	if !m.Enabled {
		c.Rules = nil
	}
	return c
}

func (m Monitor) values() monitor.Config {
	c := monitor.Config{Interval: m.Interval.Duration, History: m.History.Duration}
	for _, r := range m.Rules {
		c.Rules = append(c.Rules, r.value())
	}
	return c
}

// Values gives the settings in the type of package monitor.
func (q Quarantine) Values() monitor.QuarantineConfig {
	return monitor.QuarantineConfig{
		Crashes: q.Crashes, Within: q.Within.Duration, First: q.First.Duration,
		Most: q.Most.Duration, Forget: q.Forget.Duration,
	}
}

func (r Rule) value() monitor.Rule {
	return monitor.Rule{
		Name: r.Name, Metric: r.Metric, Above: or(r.Above), For: or(r.For).Duration, Action: r.Action,
		Factor: or(r.Factor), Below: or(r.Below), Calm: or(r.Calm).Duration, Cooldown: or(r.Cooldown).Duration,
	}
}

func fromRule(r monitor.Rule) Rule {
	out := Rule{Name: r.Name, Metric: r.Metric, Above: &r.Above, For: &Duration{r.For}, Action: r.Action, Cooldown: &Duration{r.Cooldown}}
	if r.Action == monitor.ActionThrottle {
		out.Factor, out.Below, out.Calm = &r.Factor, &r.Below, &Duration{r.Calm}
	}
	return out
}

// or is what p points to, or else the zero value.
func or[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// withRules puts the rules of a file over the default ones: those of the same
// name change, the others are added.
func withRules(defaults, given []Rule) ([]Rule, error) {
	all := append([]Rule(nil), defaults...)
	seen := map[string]bool{}
	for _, g := range given {
		switch {
		case g.Name == "":
			return nil, errors.New("monitor.rule: one has no name")
		case seen[g.Name]:
			return nil, fmt.Errorf("monitor.rule: there are two of the name %.40q", g.Name)
		}
		seen[g.Name] = true
		at := find(all, g.Name)
		if at == nil {
			all = append(all, Rule{Name: g.Name})
			at = &all[len(all)-1]
		}
		at.override(g)
		if err := at.complete(); err != nil {
			return nil, fmt.Errorf("monitor.rule: rule %.40q: %w", g.Name, err)
		}
	}
	return all, nil
}

func find(rules []Rule, name string) *Rule {
	for i := range rules {
		if rules[i].Name == name {
			return &rules[i]
		}
	}
	return nil
}

// override puts what g says in the place of what r has.
func (r *Rule) override(g Rule) {
	if g.Metric != "" {
		r.Metric = g.Metric
	}
	if g.Action != "" {
		r.Action = g.Action
	}
	for _, v := range []struct{ dst, src **float64 }{{&r.Above, &g.Above}, {&r.Factor, &g.Factor}, {&r.Below, &g.Below}} {
		if *v.src != nil {
			*v.dst = *v.src
		}
	}
	for _, v := range []struct{ dst, src **Duration }{{&r.For, &g.For}, {&r.Calm, &g.Calm}, {&r.Cooldown, &g.Cooldown}} {
		if *v.src != nil {
			*v.dst = *v.src
		}
	}
}

// complete fills in what a rule need not say.
func (r *Rule) complete() error {
	switch {
	case r.Metric == "":
		return errors.New("it needs a metric")
	case r.Action == "":
		return errors.New("it needs an action")
	case r.Above == nil || r.For == nil:
		return errors.New("it needs above and for")
	}
	if r.Cooldown == nil {
		r.Cooldown = &Duration{defaultCooldown}
	}
	if r.Action != monitor.ActionThrottle {
		return nil
	}
	if r.Factor == nil {
		factor := defaultFactor
		r.Factor = &factor
	}
	if r.Below == nil {
		below := *r.Above / 2
		r.Below = &below
	}
	if r.Calm == nil {
		calm := *r.For
		r.Calm = &calm
	}
	return nil
}
