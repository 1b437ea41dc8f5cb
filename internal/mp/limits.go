package mp

import (
	"fmt"
	"time"
)

// Limits bound what one worker may use. The zero value is not usable: start
// from DefaultLimits.
type Limits struct {
	Memory      int64         `json:"memory"`       // bytes, everything the worker uses, swap included
	MemorySoft  int64         `json:"memory_soft"`  // bytes above which the kernel takes back from this worker first; 0 is no such mark
	Pids        int64         `json:"pids"`         // tasks (threads count)
	CPU         float64       `json:"cpu"`          // processors: 0.5 is half of one
	CPUWeight   int64         `json:"cpu_weight"`   // share of a busy processor, against the default of 100
	IORate      int64         `json:"io_rate"`      // bytes a second read, and as many written, of each disk; 0 is no limit
	IOWeight    int64         `json:"io_weight"`    // share of a busy disk, against 100; 0 leaves it to the kernel
	TmpBytes    int64         `json:"tmp_bytes"`    // of a native program's /tmp; they count as memory, too
	TmpFiles    int64         `json:"tmp_files"`    // inodes of /tmp
	Files       int64         `json:"files"`        // open descriptors of each process of a native program
	CallTimeout time.Duration `json:"call_timeout"` // for one call, and for one turn of the event loop; nanoseconds in JSON
	LogRate     int           `json:"log_rate"`     // console lines a second; more are counted and dropped
	IPCRate     int           `json:"ipc_rate"`     // requests a second to the host; more wait
}

// DefaultLimits are what a program gets that asks for nothing.
func DefaultLimits() Limits {
	return Limits{
		Memory: 64 << 20, Pids: 32, CPU: 1, CPUWeight: 100,
		TmpBytes: 16 << 20, TmpFiles: 1024, Files: 256,
		CallTimeout: 5 * time.Second, LogRate: 200, IPCRate: 1000,
	}
}

// The bounds of each limit, whoever asks for it. Below MinMemory the worker's
// own runtime has no room; the Go runtime needs MinPids threads.
const (
	MinMemory      = 16 << 20
	MaxMemory      = 4 << 30
	MinPids        = 16
	MaxPids        = 4096
	MinCPU         = 0.05
	MaxCPU         = 64
	MaxWeight      = 10000
	MinIORate      = 64 << 10
	MaxIORate      = 1 << 40
	MinTmpBytes    = 64 << 10
	MinTmpFiles    = 16
	MaxTmpFiles    = 1 << 20
	MinFiles       = 64
	MaxFiles       = 1 << 16
	MinCallTimeout = 10 * time.Millisecond
	MaxCallTimeout = time.Hour
	MaxLogRate     = 10000
	MaxIPCRate     = 100000
)

// Check reports the first limit that is out of its bounds.
func (l Limits) Check() error {
	switch {
	case l.Memory < MinMemory || l.Memory > MaxMemory:
		return fmt.Errorf("memory limit %d is not between %d and %d bytes", l.Memory, MinMemory, int64(MaxMemory))
	case l.Pids < MinPids || l.Pids > MaxPids:
		return fmt.Errorf("pids limit %d is not between %d and %d", l.Pids, MinPids, MaxPids)
	case !(l.CPU >= MinCPU && l.CPU <= MaxCPU): // the negation catches NaN
		return fmt.Errorf("cpu limit %g is not between %g and %d processors", l.CPU, MinCPU, MaxCPU)
	case l.MemorySoft != 0 && (l.MemorySoft < MinMemory || l.MemorySoft > l.Memory):
		return fmt.Errorf("soft memory limit %d is neither 0 nor between %d bytes and the hard limit of %d", l.MemorySoft, MinMemory, l.Memory)
	case l.CPUWeight < 1 || l.CPUWeight > MaxWeight:
		return fmt.Errorf("cpu weight %d is not between 1 and %d", l.CPUWeight, MaxWeight)
	case l.IORate != 0 && (l.IORate < MinIORate || l.IORate > MaxIORate):
		return fmt.Errorf("io rate %d is neither 0 nor between %d and %d bytes a second", l.IORate, MinIORate, int64(MaxIORate))
	case l.IOWeight < 0 || l.IOWeight > MaxWeight:
		return fmt.Errorf("io weight %d is not between 0 and %d", l.IOWeight, MaxWeight)
	case l.TmpBytes < MinTmpBytes || l.TmpBytes > MaxMemory:
		return fmt.Errorf("size of /tmp %d is not between %d and %d bytes", l.TmpBytes, MinTmpBytes, int64(MaxMemory))
	case l.TmpFiles < MinTmpFiles || l.TmpFiles > MaxTmpFiles:
		return fmt.Errorf("number of files in /tmp %d is not between %d and %d", l.TmpFiles, MinTmpFiles, MaxTmpFiles)
	case l.Files < MinFiles || l.Files > MaxFiles:
		return fmt.Errorf("limit of open files %d is not between %d and %d", l.Files, MinFiles, MaxFiles)
	case l.IPCRate < 1 || l.IPCRate > MaxIPCRate:
		return fmt.Errorf("ipc rate %d is not between 1 and %d requests a second", l.IPCRate, MaxIPCRate)
	case l.CallTimeout < MinCallTimeout || l.CallTimeout > MaxCallTimeout:
		return fmt.Errorf("call timeout %v is not between %v and %v", l.CallTimeout, MinCallTimeout, MaxCallTimeout)
	case l.LogRate < 0 || l.LogRate > MaxLogRate:
		return fmt.Errorf("log rate %d is not between 0 and %d lines a second", l.LogRate, MaxLogRate)
	}
	return nil
}

// MaxLimits are the most that a program gets on a host that says nothing else.
func MaxLimits() Limits {
	return Limits{
		Memory: 1 << 30, Pids: 256, CPU: 4, CPUWeight: 1000, IOWeight: 1000,
		TmpBytes: 512 << 20, TmpFiles: 1 << 16, Files: 4096,
		CallTimeout: 5 * time.Minute, LogRate: 2000, IPCRate: 10000,
	}
}

// Excess names the first limit of l that is above most's, as the configuration
// calls it, with both values; "" if there is none. An io rate of 0, which is no
// limit, is above any other. The soft memory limit is bound by the hard one.
func (l Limits) Excess(most Limits) (key string, got, bound any) {
	for _, v := range []struct {
		key        string
		above      bool
		got, bound any
	}{
		{"memory", l.Memory > most.Memory, l.Memory, most.Memory},
		{"pids", l.Pids > most.Pids, l.Pids, most.Pids},
		{"cpu", l.CPU > most.CPU, l.CPU, most.CPU},
		{"cpu_weight", l.CPUWeight > most.CPUWeight, l.CPUWeight, most.CPUWeight},
		{"io_rate", most.IORate != 0 && (l.IORate == 0 || l.IORate > most.IORate), l.IORate, most.IORate},
		{"io_weight", l.IOWeight > most.IOWeight, l.IOWeight, most.IOWeight},
		{"tmp_bytes", l.TmpBytes > most.TmpBytes, l.TmpBytes, most.TmpBytes},
		{"tmp_files", l.TmpFiles > most.TmpFiles, l.TmpFiles, most.TmpFiles},
		{"files", l.Files > most.Files, l.Files, most.Files},
		{"call_timeout", l.CallTimeout > most.CallTimeout, l.CallTimeout, most.CallTimeout},
		{"log_rate", l.LogRate > most.LogRate, l.LogRate, most.LogRate},
		{"ipc_rate", l.IPCRate > most.IPCRate, l.IPCRate, most.IPCRate},
	} {
		if v.above {
			return v.key, v.got, v.bound
		}
	}
	return "", nil, nil
}
