package monitor

import (
	"fmt"
	"strings"
)

// Metric names what a rule looks at: a member of Rates.
type Metric string

// The metrics. Ratios are of the program's own limit, whatever holds it back at
// present; the others are for a second, but for CPU, which is in processors.
const (
	MetricCPU            Metric = "cpu"
	MetricCPURatio       Metric = "cpu_ratio"
	MetricMemoryRatio    Metric = "memory_ratio"
	MetricPidsRatio      Metric = "pids_ratio"
	MetricThrottledRatio Metric = "throttled_ratio" // of the periods of its quota
	MetricFaults         Metric = "faults"
	MetricMajorFaults    Metric = "major_faults"
	MetricReclaimed      Metric = "reclaimed_bytes"
	MetricStalledRatio   Metric = "stalled_ratio" // of the time
	MetricIPCMessages    Metric = "ipc_messages"
	MetricIPCRatio       Metric = "ipc_ratio"
	MetricLogLines       Metric = "log_lines"
	MetricLogDropped     Metric = "log_dropped"
	MetricDenials        Metric = "denials"
)

// metrics says how each is read off a sample, in the order of their names above.
var metrics = []struct {
	name Metric
	of   func(Rates) float64
}{
	{MetricCPU, func(r Rates) float64 { return r.CPU }},
	{MetricCPURatio, func(r Rates) float64 { return r.CPURatio }},
	{MetricMemoryRatio, func(r Rates) float64 { return r.MemoryRatio }},
	{MetricPidsRatio, func(r Rates) float64 { return r.PidsRatio }},
	{MetricThrottledRatio, func(r Rates) float64 { return r.ThrottledRatio }},
	{MetricFaults, func(r Rates) float64 { return r.Faults }},
	{MetricMajorFaults, func(r Rates) float64 { return r.MajorFaults }},
	{MetricReclaimed, func(r Rates) float64 { return r.Reclaimed }},
	{MetricStalledRatio, func(r Rates) float64 { return r.StalledRatio }},
	{MetricIPCMessages, func(r Rates) float64 { return r.IPCMessages }},
	{MetricIPCRatio, func(r Rates) float64 { return r.IPCRatio }},
	{MetricLogLines, func(r Rates) float64 { return r.LogLines }},
	{MetricLogDropped, func(r Rates) float64 { return r.LogDropped }},
	{MetricDenials, func(r Rates) float64 { return r.Denials }},
}

// reader gives the function that reads m off a sample, or nil.
func (m Metric) reader() func(Rates) float64 {
	for _, known := range metrics {
		if known.name == m {
			return known.of
		}
	}
	return nil
}

func (m Metric) check() error {
	if m.reader() != nil {
		return nil
	}
	names := make([]string, len(metrics))
	for i, known := range metrics {
		names[i] = string(known.name)
	}
	return fmt.Errorf("metric %.40q is none of %s", m, strings.Join(names, ", "))
}
