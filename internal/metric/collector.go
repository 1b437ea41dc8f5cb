package metric

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// ofProgram describes a metric that each program has, and reads it off.
type ofProgram struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*Program) float64
}

func counter(name, help string, of func(*Program) float64) ofProgram {
	return program(name, help, prometheus.CounterValue, of)
}

func gauge(name, help string, of func(*Program) float64) ofProgram {
	return program(name, help, prometheus.GaugeValue, of)
}

func program(name, help string, kind prometheus.ValueType, of func(*Program) float64) ofProgram {
	return ofProgram{prometheus.NewDesc("mp_program_"+name, help, []string{"id", "app_id"}, nil), kind, of}
}

// ofPrograms is the table of what is told of each program.
var ofPrograms = []ofProgram{
	gauge("start_time_seconds", "When the program was started, since the epoch.", func(p *Program) float64 { return float64(p.Started.UnixMilli()) / 1000 }),
	counter("calls_total", "Calls of the program's functions.", func(p *Program) float64 { return float64(p.Calls) }),
	counter("cpu_seconds_total", "Processor time.", func(p *Program) float64 { return p.CPU.Seconds() }),
	gauge("cpu_limit", "Processors that the program may use.", func(p *Program) float64 { return p.Limits.CPU }),
	counter("quota_periods_total", "Periods of the processor quota in which the program ran.", func(p *Program) float64 { return float64(p.Periods) }),
	counter("throttled_periods_total", "Periods in which the program was held back by its processor quota.", func(p *Program) float64 { return float64(p.Counters.Throttled) }),
	gauge("memory_bytes", "Memory charged to the program.", func(p *Program) float64 { return float64(p.Memory) }),
	gauge("memory_limit_bytes", "Memory that the program may use.", func(p *Program) float64 { return float64(p.Limits.Memory) }),
	counter("memory_reclaimed_bytes_total", "Memory that the kernel took back for the program's limit.", func(p *Program) float64 { return float64(p.Reclaimed) }),
	counter("memory_stalled_seconds_total", "Time in which some task of the program waited for memory.", func(p *Program) float64 { return p.Stalled.Seconds() }),
	counter("page_faults_total", "Page faults.", func(p *Program) float64 { return float64(p.Faults) }),
	counter("major_page_faults_total", "Page faults that read from a disk.", func(p *Program) float64 { return float64(p.MajorFaults) }),
	gauge("pids", "Tasks: processes and their threads.", func(p *Program) float64 { return float64(p.Pids) }),
	gauge("pids_limit", "Tasks that the program may have.", func(p *Program) float64 { return float64(p.Limits.Pids) }),
	counter("ipc_messages_total", "Messages from the program.", func(p *Program) float64 { return float64(p.IPCMessages) }),
	counter("log_lines_total", "Console lines, dropped ones included.", func(p *Program) float64 { return float64(p.LogLines) }),
	counter("log_lines_dropped_total", "Console lines above the program's rate.", func(p *Program) float64 { return float64(p.LogDropped) }),
	counter("denials_total", "System calls that the program's filter refused.", func(p *Program) float64 { return float64(p.Denials) }),
	gauge("frozen", "1 if the program is frozen.", func(p *Program) float64 { return truth(p.Frozen) }),
	gauge("throttled", "1 if a rule of the monitor holds the program back.", func(p *Program) float64 { return truth(p.Throttled) }),
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mp_"+name, help, labels, nil)
}

// What is told of the supervisor.
var (
	descInfo          = desc("program_info", "1 for each program, with its runtime.", "id", "app_id", "runtime")
	descPrograms      = desc("programs", "Programs that have not ended.")
	descMaxPrograms   = desc("programs_limit", "Programs that may run at once.")
	descStarts        = desc("starts_total", "Programs that were started.")
	descStartFailures = desc("start_failures_total", "Starts of which no program came.")
	descEnds          = desc("ends_total", "Programs that ended, by cause.", "cause")
	descDenials       = desc("denials_total", "System calls that the filters of all programs refused.")
	descEvents        = desc("events_total", "Events, by type.", "type")
	descAnswers       = desc("monitor_answers_total", "What the monitor's rules did.", "rule", "action")
	descQuarantined   = desc("quarantined_packages", "Packages that may not be started for now.")
	descPackages      = desc("packages", "Packages that are kept.")
	descPackageBytes  = desc("package_bytes", "Size of all packages that are kept.")
)

// causes are there from the first scrape on, so that the first end of its kind
// is seen as an increase.
var causes = []mp.Cause{
	mp.CauseExited, mp.CauseCallLimit, mp.CauseMemoryLimit, mp.CauseKilled, mp.CauseSignal, mp.CauseSeccomp,
	mp.CauseMemoryViolation, mp.CauseProtocol, mp.CauseSupervisorGone, mp.CauseRule,
}

// collector makes metrics of a source's snapshots. It implements
// prometheus.Collector.
type collector struct{ source Source }

func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range ofPrograms {
		ch <- m.desc
	}
	for _, d := range []*prometheus.Desc{descInfo, descPrograms, descMaxPrograms, descStarts, descStartFailures, descEnds,
		descDenials, descEvents, descAnswers, descQuarantined, descPackages, descPackageBytes} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.source.Metrics()
	for i := range s.Programs {
		collectProgram(ch, &s.Programs[i])
	}
	collectTotals(ch, &s)
}

func collectProgram(ch chan<- prometheus.Metric, p *Program) {
	id, app := label(string(p.ID)), label(string(p.App))
	ch <- prometheus.MustNewConstMetric(descInfo, prometheus.GaugeValue, 1, id, app, label(p.Runtime))
	for _, m := range ofPrograms {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.of(p), id, app)
	}
}

func collectTotals(ch chan<- prometheus.Metric, s *Snapshot) {
	for _, m := range []struct {
		desc  *prometheus.Desc
		kind  prometheus.ValueType
		value float64
	}{
		{descPrograms, prometheus.GaugeValue, float64(len(s.Programs))},
		{descMaxPrograms, prometheus.GaugeValue, float64(s.MaxPrograms)},
		{descStarts, prometheus.CounterValue, float64(s.Starts)},
		{descStartFailures, prometheus.CounterValue, float64(s.StartFailures)},
		{descDenials, prometheus.CounterValue, float64(s.Denials)},
		{descQuarantined, prometheus.GaugeValue, float64(s.Quarantined)},
		{descPackages, prometheus.GaugeValue, float64(s.Packages)},
		{descPackageBytes, prometheus.GaugeValue, float64(s.PackageBytes)},
	} {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value)
	}
	for _, cause := range causes {
		ch <- prometheus.MustNewConstMetric(descEnds, prometheus.CounterValue, float64(s.Ends[cause]), string(cause))
	}
	for kind, n := range s.Events {
		ch <- prometheus.MustNewConstMetric(descEvents, prometheus.CounterValue, float64(n), label(kind))
	}
	for a, n := range s.Answers {
		ch <- prometheus.MustNewConstMetric(descAnswers, prometheus.CounterValue, float64(n), label(a.Rule), label(string(a.Action)))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
