package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
)

func TestMonitorDefaultsAreTheMonitors(t *testing.T) {
	m := Default().Monitor
	if got := m.Values(); !reflect.DeepEqual(got, monitor.DefaultConfig()) {
		t.Errorf("got %+v", got)
	}
	if got := m.Quarantine.Values(); got != monitor.DefaultQuarantine() {
		t.Errorf("got %+v", got)
	}
	m.Enabled = false
	if got := m.Values(); got.Rules != nil || got.Interval != time.Second {
		t.Errorf("disabled: got %+v", got)
	}
}

func TestRulesOverrideAndAdd(t *testing.T) {
	c, err := Parse([]byte(`
[[monitor.rule]]
name = "cpu"
above = 0.5
[[monitor.rule]]
name = "memory"
action = "throttle"
[[monitor.rule]]
name = "denials"
action = "off"
[[monitor.rule]]
name = "any_denial"
metric = "denials"
above = 0
for = "1s"
action = "report"
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]monitor.Rule{}
	for _, r := range c.Monitor.Values().Rules {
		got[r.Name] = r
	}
	want := map[string]monitor.Rule{}
	for _, r := range monitor.DefaultRules() {
		want[r.Name] = r
	}
	change := func(name string, f func(*monitor.Rule)) {
		r := want[name]
		f(&r)
		want[name] = r
	}
	change("cpu", func(r *monitor.Rule) { r.Above = 0.5 })
	change("memory", func(r *monitor.Rule) {
		r.Action, r.Factor, r.Below, r.Calm = monitor.ActionThrottle, 0.5, 0.25, r.For
	})
	change("denials", func(r *monitor.Rule) { r.Action = monitor.ActionOff })
	want["any_denial"] = monitor.Rule{Name: "any_denial", Metric: monitor.MetricDenials, For: time.Second,
		Action: monitor.ActionReport, Cooldown: time.Minute}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if *Default().Monitor.Rules[0].Above != 0.95 {
		t.Error("the file changed the defaults of later ones")
	}
}

func TestMonitorMistakes(t *testing.T) {
	const rule = "[[monitor.rule]]\nname = 'a'\nmetric = 'cpu'\nabove = 1\nfor = '5s'\naction = 'report'\n"
	tests := []struct{ name, text, want string }{
		{"unknown key", "[monitor]\nintervall = '1s'", `2: unknown key "monitor.intervall"`},
		{"unknown key of a rule", rule + "until = '1s'", `7: unknown key "monitor.rule.until"`},
		{"interval", "[monitor]\ninterval = '1ms'", " monitor: interval 1ms is not between"},
		{"history", "[monitor]\nhistory = '100h'", " monitor: history"},
		{"window beyond the history", "[monitor]\nhistory = '30s'", ` monitor: rule "cpu": a window of 1m0s is longer`},
		{"crashes", "[monitor.quarantine]\ncrashes = -1", " monitor.quarantine: crashes: -1"},
		{"delays", "[monitor.quarantine]\nmost = '1s'", " monitor.quarantine: most: 1s is less"},
		{"no name", "[[monitor.rule]]\nabove = 1", "one has no name"},
		{"bad name", strings.Replace(rule, "'a'", `"a b"`, 1), "name"},
		{"twice", rule + rule, "two of the name"},
		{"no metric", "[[monitor.rule]]\nname = 'a'\nabove = 1", "needs a metric"},
		{"no action", "[[monitor.rule]]\nname = 'a'\nmetric = 'cpu'\nabove = 1", "needs an action"},
		{"no threshold", "[[monitor.rule]]\nname = 'a'\nmetric = 'cpu'\naction = 'end'", "needs above and for"},
		{"metric", strings.Replace(rule, "'cpu'", "'gpu'", 1), `"gpu" is none of cpu, cpu_ratio`},
		{"action", strings.Replace(rule, "'report'", "'release'", 1), `"release" is none of off, report`},
		{"threshold", strings.Replace(rule, "above = 1", "above = nan", 1), "above NaN"},
		{"factor", "[[monitor.rule]]\nname = 'cpu'\nfactor = 1.5", `rule "cpu": factor 1.5`},
		{"checked though disabled", "[monitor]\nenabled = false\n[[monitor.rule]]\nname = 'cpu'\nfactor = 1.5", "factor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestMetricsListen(t *testing.T) {
	good := map[string][2]string{
		"":                     {"", ""},
		"127.0.0.1:9464":       {"tcp", "127.0.0.1:9464"},
		"127.8.9.1:1":          {"tcp", "127.8.9.1:1"},
		"[::1]:9464":           {"tcp", "[::1]:9464"},
		"unix:/run/mp/metrics": {"unix", "/run/mp/metrics"},
	}
	for listen, want := range good {
		c, err := Parse([]byte("[metrics]\nlisten = '" + listen + "'"))
		network, address := c.Metrics.Address()
		if err != nil || network != want[0] || address != want[1] {
			t.Errorf("%q: %s %s, %v", listen, network, address, err)
		}
	}
	for _, listen := range []string{":9464", "0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "localhost:9464", "127.0.0.1", "127.0.0.1:0",
		"127.0.0.1:99999", "[::1%lo]:9464", "[fe80::1]:9464", "unix:", "unix:metrics", "unix:/a/../b", "unix:/" + strings.Repeat("x", 107), "tcp:127.0.0.1:1", "/run/metrics"} {
		if _, err := Parse([]byte("[metrics]\nlisten = '" + listen + "'")); err == nil || !strings.Contains(err.Error(), " metrics.listen: ") {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
