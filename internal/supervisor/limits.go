package supervisor

import (
	"context"
	"fmt"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
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
// maximum. The default soft limit of memory is for programs with the default hard
// one: where that is lower, so is the soft one.
func effective(s Settings, manifest bundle.Limits, asked *controlpb.Limits) (mp.Limits, error) {
	l := manifest.Over(s.Default)
	chosen := manifest.MemorySoft != nil || asked != nil && asked.MemorySoftBytes != nil
	if err := allowed(l, s.Max); err != nil {
		return l, fmt.Errorf("the manifest's %w: %w", err, mp.ErrBadPackage)
	}
	override(&l, asked)
	if !chosen {
		l.MemorySoft = min(l.MemorySoft, l.Memory)
	}
	if err := l.Check(); err != nil {
		return l, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	if err := allowed(l, s.Max); err != nil {
		return l, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	return l, nil
}

// update changes the limits of a program that runs, and returns all that are now
// in force. It may be frozen. Those that only a start can set are refused.
func (i *instance) update(ctx context.Context, most mp.Limits, asked *controlpb.Limits) (mp.Limits, error) {
	i.turn.Lock()
	defer i.turn.Unlock()
	if _, err := i.pauseable(); err != nil {
		return mp.Limits{}, err
	}
	old := i.bounds()
	next := old
	override(&next, asked)
	if err := i.changeable(old, next, most); err != nil {
		return old, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	if next == old {
		return next, nil
	}
	if err := i.enforce(ctx, next); err != nil {
		return old, fmt.Errorf("cannot change the limits: %w", err)
	}
	i.mu.Lock()
	i.limits = next
	i.mu.Unlock()
	if next.Memory != old.Memory {
		i.resizeHeap(ctx, next.Memory)
	}
	i.sup.events.emit(eventLimitsChanged, i.id, i.app(), changes(old, next)...)
	return next, nil
}

// enforce has the launcher set limits, with the processor quota that the monitor
// leaves of them. i.turn is held.
func (i *instance) enforce(ctx context.Context, l mp.Limits) error {
	l.CPU = i.sup.watch.quota(i.id, l.CPU)
	return i.ask(ctx, func(ctx context.Context, id mp.InstanceID) error { return i.sup.cfg.Launcher.Limit(ctx, id, l) })
}

// changeable holds new limits against the bounds, the host's maximum, and what
// was settled at the start.
func (i *instance) changeable(old, next, most mp.Limits) error {
	var fixed []string
	for _, k := range limitKeys {
		if k.of(old) != k.of(next) && (k.fixed || k.native && i.prog.role != launch.RoleNative) {
			fixed = append(fixed, k.name)
		}
	}
	if len(fixed) > 0 {
		return fmt.Errorf("%s cannot change while a %s program runs: give it at the next start", strings.Join(fixed, ", "), i.prog.runtime())
	}
	if err := next.Check(); err != nil {
		return err
	}
	return allowed(next, most)
}

// limitKeys are the limits by the names that the configuration has for them.
var limitKeys = []struct {
	name   string
	fixed  bool // what has it was started with it
	native bool // only a native program has it
	of     func(mp.Limits) any
}{
	{"memory", false, false, func(l mp.Limits) any { return l.Memory }},
	{"memory_soft", false, false, func(l mp.Limits) any { return l.MemorySoft }},
	{"pids", false, false, func(l mp.Limits) any { return l.Pids }},
	{"cpu", false, false, func(l mp.Limits) any { return l.CPU }},
	{"cpu_weight", false, false, func(l mp.Limits) any { return l.CPUWeight }},
	{"io_rate", false, false, func(l mp.Limits) any { return l.IORate }},
	{"io_weight", false, false, func(l mp.Limits) any { return l.IOWeight }},
	{"tmp_bytes", false, true, func(l mp.Limits) any { return l.TmpBytes }},
	{"tmp_files", false, true, func(l mp.Limits) any { return l.TmpFiles }},
	{"files", true, false, func(l mp.Limits) any { return l.Files }},
	{"call_timeout", true, false, func(l mp.Limits) any { return l.CallTimeout }},
	{"log_rate", true, false, func(l mp.Limits) any { return l.LogRate }},
	{"ipc_rate", true, false, func(l mp.Limits) any { return l.IPCRate }},
}

// changes names what differs, each with its new value.
func changes(old, next mp.Limits) (fields []string) {
	for _, k := range limitKeys {
		if k.of(old) != k.of(next) {
			fields = append(fields, k.name, fmt.Sprint(k.of(next)))
		}
	}
	return fields
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
