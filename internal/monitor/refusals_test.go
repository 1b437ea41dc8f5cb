package monitor

import (
	"testing"
	"time"
)

// TestRefusalsBetweenTellings holds that a run of refusals is seen at every
// interval, though they are told in heaps, once a second.
func TestRefusalsBetweenTellings(t *testing.T) {
	rule := Rule{Name: "denials", Metric: MetricDenials, Above: 50, For: 3 * time.Second, Action: ActionEnd, Cooldown: time.Minute}
	for _, tt := range []struct {
		name     string
		interval time.Duration
		second   uint64 // refusals in each
		answers  int
	}{
		{"often, many", 100 * time.Millisecond, 200, 1},
		{"often, few", 100 * time.Millisecond, 20, 0},
		{"twice a second, many", 500 * time.Millisecond, 200, 1},
		{"twice a second, few", 500 * time.Millisecond, 20, 0},
		{"three times in two seconds, many", 667 * time.Millisecond, 200, 1},
		{"each second, many", time.Second, 200, 1},
		{"each second, few", time.Second, 20, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, rule)
			told, answers := r.at.Add(1003*time.Millisecond), 0
			for r.at.Before(noon.Add(8 * time.Second)) {
				answers += len(r.after(tt.interval, func(c *Counters) {
					for ; !told.After(r.at.Add(tt.interval)); told = told.Add(1003 * time.Millisecond) {
						c.Denials += tt.second
					}
				}))
			}
			if answers != tt.answers {
				t.Errorf("%d answers, want %d; samples %v", answers, tt.answers, r.m.programs[one].series.all())
			}
		})
	}
}

// TestRefusalsAreNotKept holds that a rate is that of now, not of long ago.
func TestRefusalsAreNotKept(t *testing.T) {
	var r refusals
	r.begin(noon, 0)
	r.rate(noon.Add(100*time.Millisecond), 1000)
	for i := 2; i <= 100; i++ {
		got := r.rate(noon.Add(time.Duration(i)*100*time.Millisecond), 1000)
		if i > 16 && got != 0 {
			t.Fatalf("%g a second after %d samples without one", got, i)
		}
	}
	if len(r) > 17 {
		t.Errorf("%d counts are kept", len(r))
	}
}
