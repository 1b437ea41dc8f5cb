package main

import (
	"errors"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// limitFlags are the flags that set limits. Which of them were given is asked
// of the flag set: a limit of 0 is not the same as none.
type limitFlags struct {
	memory, memorySoft config.Size
	pids               int64
	cpus               float64
	cpuWeight          int64
	ioRate             config.Size
	ioWeight           int64
	tmpSize            config.Size
	tmpFiles           int64
	files              int64
	timeout            time.Duration
	logRate, ipcRate   int32
}

// add adds a flag for each limit that a program can be started with.
func (l *limitFlags) add(f *pflag.FlagSet) {
	l.addLive(f)
	f.Int64Var(&l.files, "files", 0, "limit of open files of each process of a native program")
	f.Int32Var(&l.logRate, "log-rate", 0, "console lines a second")
	f.Int32Var(&l.ipcRate, "ipc-rate", 0, "requests to the host a second")
	f.DurationVar(&l.timeout, "timeout", 0, "time limit of a call, such as 5s")
}

// addLive adds a flag for each limit that can be changed while a program runs.
func (l *limitFlags) addLive(f *pflag.FlagSet) {
	f.Var(&l.memory, "memory", "memory limit, such as 64M")
	f.Var(&l.memorySoft, "memory-soft", "memory above which the kernel takes back from this program first; 0 for none")
	f.Int64Var(&l.pids, "pids", 0, "limit of processes and threads together")
	f.Float64Var(&l.cpus, "cpus", 0, "limit of processors, such as 0.5")
	f.Int64Var(&l.cpuWeight, "cpu-weight", 0, "share of a busy processor, 1 to 10000; most programs have 100")
	f.Var(&l.ioRate, "io-rate", "bytes a second that may be read, and as many written, of each disk; 0 for no limit")
	f.Int64Var(&l.ioWeight, "io-weight", 0, "share of a busy disk, 1 to 10000; 0 leaves it to the kernel")
	f.Var(&l.tmpSize, "tmp-size", "size of a native program's /tmp, such as 16M; it counts as memory")
	f.Int64Var(&l.tmpFiles, "tmp-files", 0, "limit of files in a native program's /tmp")
}

// check refuses what cannot be meant. The bounds of each limit are the
// supervisor's to tell.
func (l *limitFlags) check(f *pflag.FlagSet) error {
	positive := map[string]bool{
		"memory": l.memory > 0, "pids": l.pids > 0, "cpus": l.cpus > 0, "cpu-weight": l.cpuWeight > 0, // false for NaN
		"tmp-size": l.tmpSize > 0, "tmp-files": l.tmpFiles > 0, "files": l.files > 0,
		"timeout": l.timeout > 0, "ipc-rate": l.ipcRate > 0,
		"log-rate": l.logRate >= 0, "io-weight": l.ioWeight >= 0,
	}
	for name, ok := range positive {
		if f.Changed(name) && !ok {
			return errors.New("a limit must be positive: --" + name)
		}
	}
	return nil
}

// asked are the limits whose flags were given.
func (l *limitFlags) asked(f *pflag.FlagSet) *controlpb.Limits {
	var out controlpb.Limits
	given(f, "memory", &out.MemoryBytes, int64(l.memory))
	given(f, "memory-soft", &out.MemorySoftBytes, int64(l.memorySoft))
	given(f, "pids", &out.Pids, l.pids)
	given(f, "cpus", &out.Cpu, l.cpus)
	given(f, "cpu-weight", &out.CpuWeight, l.cpuWeight)
	given(f, "io-rate", &out.IoRate, int64(l.ioRate))
	given(f, "io-weight", &out.IoWeight, l.ioWeight)
	given(f, "tmp-size", &out.TmpBytes, int64(l.tmpSize))
	given(f, "tmp-files", &out.TmpFiles, l.tmpFiles)
	given(f, "files", &out.Files, l.files)
	given(f, "log-rate", &out.LogRate, l.logRate)
	given(f, "ipc-rate", &out.IpcRate, l.ipcRate)
	if f.Changed("timeout") {
		out.CallTimeout = durationpb.New(l.timeout)
	}
	return &out
}

func given[T any](f *pflag.FlagSet, name string, dst **T, value T) {
	if f.Changed(name) {
		*dst = &value
	}
}
