package main

import (
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

type limitsView struct {
	Memory             int64   `json:"memory_bytes"`
	Pids               int64   `json:"pids"`
	CPU                float64 `json:"cpu"`
	CallTimeoutSeconds float64 `json:"call_timeout_seconds"`
	LogRate            int32   `json:"log_rate"`
	MemorySoft         int64   `json:"memory_soft_bytes"` // 0: no such mark
	CPUWeight          int64   `json:"cpu_weight"`
	IORate             int64   `json:"io_rate"`   // bytes a second; 0: no limit
	IOWeight           int64   `json:"io_weight"` // 0: as the kernel has it
	TmpBytes           int64   `json:"tmp_bytes"`
	TmpFiles           int64   `json:"tmp_files"`
	Files              int64   `json:"files"`
	IPCRate            int32   `json:"ipc_rate"`
}

func viewLimits(l *controlpb.Limits) limitsView {
	return limitsView{
		Memory: l.GetMemoryBytes(), Pids: l.GetPids(), CPU: l.GetCpu(),
		CallTimeoutSeconds: seconds(l.GetCallTimeout()), LogRate: l.GetLogRate(),
		MemorySoft: l.GetMemorySoftBytes(), CPUWeight: l.GetCpuWeight(), IORate: l.GetIoRate(), IOWeight: l.GetIoWeight(),
		TmpBytes: l.GetTmpBytes(), TmpFiles: l.GetTmpFiles(), Files: l.GetFiles(), IPCRate: l.GetIpcRate(),
	}
}

// limitRow is a limit for people: its name and its value.
type limitRow struct{ name, value string }

// rows lists the limits. Those of /tmp and of files are a native program's.
func (l limitsView) rows(native bool) []limitRow {
	rows := []limitRow{
		{"memory", sizeText(l.Memory)},
		{"memory soft", orNone(l.MemorySoft, sizeText)},
		{"pids", fmt.Sprint(l.Pids)},
		{"cpu", fmt.Sprintf("%g", l.CPU)},
		{"cpu weight", fmt.Sprint(l.CPUWeight)},
		{"io rate", orNone(l.IORate, rateText)},
		{"io weight", orNone(l.IOWeight, func(n int64) string { return fmt.Sprint(n) })},
	}
	if native {
		rows = append(rows, limitRow{"tmp size", sizeText(l.TmpBytes)},
			limitRow{"tmp files", fmt.Sprint(l.TmpFiles)}, limitRow{"open files", fmt.Sprint(l.Files)})
	}
	return append(rows,
		limitRow{"call timeout", time.Duration(l.CallTimeoutSeconds * float64(time.Second)).String()},
		limitRow{"log lines", fmt.Sprintf("%d/s", l.LogRate)},
		limitRow{"ipc requests", fmt.Sprintf("%d/s", l.IPCRate)})
}

// orNone writes a limit of 0, which is none, as such.
func orNone(n int64, text func(int64) string) string {
	if n == 0 {
		return "-"
	}
	return text(n)
}

// sizeText gives a limit as it is written in a configuration.
func sizeText(n int64) string { return config.Size(n).String() }

func rateText(n int64) string { return sizeText(n) + "/s" }
