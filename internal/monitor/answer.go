package monitor

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Answer is what is to be done about one program, and why.
type Answer struct {
	ID     mp.InstanceID
	Rule   string
	Action Action
	CPU    float64 // for throttle and release: the processor quota to put in force
	Evidence
}

// Evidence is what a rule saw. For a release it is that of the calm.
type Evidence struct {
	Metric    Metric
	Value     float64 // the mean over the window
	Peak      float64
	Threshold float64
	Window    time.Duration // as long as was looked at
	Samples   int
}

// String gives rule and evidence in one line: what Detail of an mp.Exit has.
func (a Answer) String() string {
	side := "above"
	if a.Action == ActionRelease {
		side = "calm, at most"
	}
	return fmt.Sprintf("%s: %s %s, %s %s for %v", a.Rule, a.Metric, number(a.Value), side, number(a.Threshold),
		a.Window.Round(100*time.Millisecond))
}

// Fields gives the answer as names and values by turns, for an event.
func (a Answer) Fields() []string {
	f := []string{
		"rule", a.Rule, "action", string(a.Action), "metric", string(a.Metric),
		"value", number(a.Value), "peak", number(a.Peak), "threshold", number(a.Threshold),
		"window", a.Window.Round(time.Millisecond).String(), "samples", strconv.Itoa(a.Samples),
	}
	if a.CPU > 0 {
		f = append(f, "cpu", number(a.CPU))
	}
	return f
}

// number writes a value for people: three digits are enough to see why.
func number(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
