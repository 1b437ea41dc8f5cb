package supervisor

import (
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const (
	// workerOverhead is what a worker's own runtime and engine take of the
	// memory limit, in bytes; the guest's heap gets the rest. A worker that
	// does nothing is charged 2 to 3 MiB; garbage collection, stacks and
	// messages of 1 MiB on their way need the difference.
	workerOverhead = 10 << 20
	minHeap        = 4 << 20
)

// heapOf is the guest's heap limit within the worker's memory limit.
func heapOf(memory int64) int64 { return max(memory-workerOverhead, minHeap) }

// effective gives the limits of a program: the defaults, over them what its
// manifest asks for, over that what the caller asks for, all within the host's
// maximum.
func effective(s Settings, manifest bundle.Limits, asked *controlpb.Limits) (mp.Limits, error) {
	l := manifest.Over(s.Default)
	if err := allowed(l, s.Max); err != nil {
		return l, fmt.Errorf("the manifest's %w: %w", err, mp.ErrBadPackage)
	}
	override(&l, asked)
	if err := l.Check(); err != nil {
		return l, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	if err := allowed(l, s.Max); err != nil {
		return l, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	return l, nil
}

func take[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

// override puts what the caller asks for in the place of the manifest's.
func override(l *mp.Limits, asked *controlpb.Limits) {
	if asked == nil {
		return
	}
	take(&l.Memory, asked.MemoryBytes)
	take(&l.Pids, asked.Pids)
	take(&l.CPU, asked.Cpu)
	if asked.CallTimeout != nil {
		l.CallTimeout = asked.CallTimeout.AsDuration()
	}
	if asked.LogRate != nil {
		l.LogRate = int(*asked.LogRate)
	}
	take(&l.MemorySoft, asked.MemorySoftBytes)
	take(&l.CPUWeight, asked.CpuWeight)
	take(&l.IORate, asked.IoRate)
	take(&l.IOWeight, asked.IoWeight)
	take(&l.TmpBytes, asked.TmpBytes)
	take(&l.TmpFiles, asked.TmpFiles)
	take(&l.Files, asked.Files)
	if asked.IpcRate != nil {
		l.IPCRate = int(*asked.IpcRate)
	}
}
