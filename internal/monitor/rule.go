package monitor

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Action is what is to be done about a program.
type Action string

// The actions.
const (
	ActionOff      Action = "off"      // of a rule only: it answers nothing
	ActionReport   Action = "report"   // tell
	ActionThrottle Action = "throttle" // lower its processor quota, until it is calm
	ActionRelease  Action = "release"  // of an answer only: put the quota back
	ActionFreeze   Action = "freeze"   // stop it where it is, until an operator thaws it
	ActionEnd      Action = "end"      // kill it; that counts as a crash
)

// ofRules are the actions that a rule may have.
var ofRules = []Action{ActionOff, ActionReport, ActionThrottle, ActionFreeze, ActionEnd}

// Rule says what use is abnormal, and the answer to it.
type Rule struct {
	Name   string // 1 to 32 of a-z, 0-9 and _
	Metric Metric
	Above  float64       // the threshold
	For    time.Duration // the window: above the threshold for nine tenths of it
	Action Action

	// For ActionThrottle: to which part of its processor limit, and how low the
	// metric must stay (at most Below, for nine tenths of Calm) to end it.
	Factor float64
	Below  float64
	Calm   time.Duration

	Cooldown time.Duration // after an answer, before the next of this rule
}

// The bounds of rules.
const (
	MaxRules  = 64
	MaxWindow = time.Hour // of For, Calm, Cooldown
	MinFactor = 0.05
)

// DefaultRules answer what no program does that is well. Only two go further
// than to tell or to slow down what already runs at its limit: none ends a
// program but for a run of refused system calls, which is what an attack looks like.
func DefaultRules() []Rule {
	return []Rule{
		{Name: "cpu", Metric: MetricCPURatio, Above: 0.95, For: time.Minute, Action: ActionThrottle,
			Factor: 0.5, Below: 0.25, Calm: 30 * time.Second, Cooldown: time.Minute},
		{Name: "disk", Metric: MetricMajorFaults, Above: 1000, For: 20 * time.Second, Action: ActionThrottle,
			Factor: 0.5, Below: 100, Calm: 30 * time.Second, Cooldown: time.Minute},
		{Name: "memory", Metric: MetricStalledRatio, Above: 0.5, For: 20 * time.Second, Action: ActionReport, Cooldown: 5 * time.Minute},
		{Name: "pids", Metric: MetricPidsRatio, Above: 0.95, For: 30 * time.Second, Action: ActionReport, Cooldown: 5 * time.Minute},
		{Name: "ipc", Metric: MetricIPCRatio, Above: 0.95, For: time.Minute, Action: ActionReport, Cooldown: 5 * time.Minute},
		{Name: "log", Metric: MetricLogDropped, Above: 0, For: 30 * time.Second, Action: ActionReport, Cooldown: 5 * time.Minute},
		{Name: "denials", Metric: MetricDenials, Above: 50, For: 3 * time.Second, Action: ActionEnd, Cooldown: 10 * time.Second},
	}
}

// Check reports the first thing in a rule that cannot be right.
func (r Rule) Check() error {
	if !validName(r.Name) {
		return fmt.Errorf("name %.40q is not 1 to 32 of a-z, 0-9 and _", r.Name)
	}
	if err := r.Metric.check(); err != nil {
		return err
	}
	switch {
	case !slices.Contains(ofRules, r.Action):
		return fmt.Errorf("action %.40q is none of off, report, throttle, freeze, end", r.Action)
	case !(r.Above >= 0) || math.IsInf(r.Above, 0): // the negation catches NaN
		return fmt.Errorf("above %g is not a number from 0 on", r.Above)
	case r.For <= 0 || r.For > MaxWindow:
		return fmt.Errorf("for %v is not above 0 and at most %v", r.For, MaxWindow)
	case r.Cooldown < 0 || r.Cooldown > MaxWindow:
		return fmt.Errorf("cooldown %v is not between 0 and %v", r.Cooldown, MaxWindow)
	case r.Action == ActionThrottle:
		return r.checkThrottle()
	}
	return nil
}

func (r Rule) checkThrottle() error {
	switch {
	case !(r.Factor >= MinFactor && r.Factor < 1):
		return fmt.Errorf("factor %g is not at least %g and below 1", r.Factor, MinFactor)
	case !(r.Below >= 0 && r.Below <= r.Above):
		return fmt.Errorf("below %g is not between 0 and the threshold of %g", r.Below, r.Above)
	case r.Metric == MetricCPURatio && r.Below >= r.Factor:
		return fmt.Errorf("below %g is not less than the factor of %g: throttled, it would be calm at once", r.Below, r.Factor)
	case r.Calm <= 0 || r.Calm > MaxWindow:
		return fmt.Errorf("calm %v is not above 0 and at most %v", r.Calm, MaxWindow)
	}
	return nil
}

func validName(s string) bool {
	return len(s) >= 1 && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// checkRules reports the first rule that cannot be right, and names that come twice.
func checkRules(rules []Rule, history time.Duration) error {
	if len(rules) > MaxRules {
		return fmt.Errorf("%d rules are more than %d", len(rules), MaxRules)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		err := r.Check()
		switch {
		case err != nil:
		case seen[r.Name]:
			err = errors.New("there are two of this name")
		case max(r.For, r.Calm) > history:
			err = fmt.Errorf("a window of %v is longer than the history of %v", max(r.For, r.Calm), history)
		}
		if err != nil {
			return fmt.Errorf("rule %.40q: %w", r.Name, err)
		}
		seen[r.Name] = true
	}
	return nil
}
