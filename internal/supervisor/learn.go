package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// peaks is the most that a program used at a time, as far as it was seen.
type peaks struct {
	memory, pids uint64
	cpu          float64 // processors, over one interval
}

func (p *peaks) add(s launch.Sample, r monitor.Rates) {
	p.memory = max(p.memory, s.Peak, s.Memory)
	p.pids = max(p.pids, s.Pids)
	p.cpu = max(p.cpu, r.CPU)
}

// Learned tells what a program did that was started with learn. The launcher
// tells of its system calls at its end.
func (v *service) Learned(_ context.Context, req *controlpb.LearnedRequest) (*controlpb.LearnedResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	if !i.prog.learn {
		return nil, fmt.Errorf("%w: %s was not started with learn", control.ErrBadRequest, i.id)
	}
	kept, dropped := i.console.counts()
	i.mu.Lock()
	defer i.mu.Unlock()
	res := &controlpb.LearnedResponse{Complete: i.state == ended}
	if kept+dropped > 0 {
		res.HostCalls = append(res.HostCalls, "log")
	}
	i.peaks.memory = max(i.peaks.memory, i.last.PeakBytes)
	for _, l := range i.last.Learned {
		res.Syscalls = append(res.Syscalls, &controlpb.LearnedCall{Syscall: l.Syscall, Count: l.Count, Action: l.Action})
	}
	if !res.Complete {
		return res, nil
	}
	res.ManifestJson, err = leastPrivilege(&i.prog, i.limits, i.peaks, i.last.Learned).text()
	return res, err
}

// suggestion is the member "mpsupervisor" of a manifest, as far as a run shows
// what it should be.
type suggestion struct {
	Runtime string           `json:"runtime"`
	Entry   string           `json:"entry,omitempty"`
	Native  *suggestedNative `json:"native,omitempty"`
	Limits  suggestedLimits  `json:"limits"`
}

// text writes it as people do, who need no escapes for HTML.
func (s suggestion) text() (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

type suggestedNative struct {
	Args     []string          `json:"args,omitempty"`
	Env      map[string]string `json:"env,omitempty"`
	Syscalls []string          `json:"syscalls"`
}

type suggestedLimits struct {
	Memory     string  `json:"memory,omitempty"`
	MemorySoft string  `json:"memory_soft,omitempty"` // only where the one in force would be above Memory
	Pids       int64   `json:"pids,omitempty"`
	CPU        float64 `json:"cpu,omitempty"`
}

// leastPrivilege is what would have allowed a program just what it did. It never
// has more than the program had: what the role refuses cannot be granted, and no
// limit is above the one in force.
func leastPrivilege(p *program, l mp.Limits, seen peaks, calls []launch.Learned) suggestion {
	s := suggestion{Runtime: p.runtime(), Entry: p.entry, Limits: withHeadroom(l, seen)}
	if p.role != launch.RoleNative {
		return s
	}
	s.Native = &suggestedNative{Syscalls: allowedOf(calls)}
	if p.pack == nil {
		s.Entry = archive.Root + "/" + strings.TrimPrefix(p.native.Args[0], "/")
		s.Native.Args = p.native.Args[1:]
		return s
	}
	n := p.pack.Manifest.Vendor.Native
	s.Native.Args, s.Native.Env = n.Args, map[string]string{}
	for _, v := range n.Env {
		name, value, _ := strings.Cut(v, "=")
		s.Native.Env[name] = value
	}
	return s
}

// allowedOf names the system calls that the role's own filter lets through.
func allowedOf(calls []launch.Learned) []string {
	names := []string{}
	for _, c := range calls {
		if c.Action == "allow" {
			names = append(names, c.Syscall)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// headroom is how much more than was seen a program should have.
const headroom = 1.5

// The steps to which suggested limits are rounded up.
const (
	memoryStep = 4 << 20
	pidsStep   = 8
	cpuStep    = 0.1
)

func withHeadroom(l mp.Limits, seen peaks) (s suggestedLimits) {
	up := func(v, step float64) float64 { return math.Ceil(v*headroom/step-1e-9) * step }
	if seen.memory > 0 {
		bytes := max(int64(up(float64(seen.memory), memoryStep)), mp.MinMemory)
		bytes = min(bytes, l.Memory)
		s.Memory = fmt.Sprintf("%dM", bytes>>20)
		if l.MemorySoft > bytes>>20<<20 {
			s.MemorySoft = s.Memory
		}
	}
	if seen.pids > 0 {
		s.Pids = min(max(int64(up(float64(seen.pids), pidsStep)), mp.MinPids), l.Pids)
	}
	if seen.cpu > 0 {
		s.CPU = min(math.Round(up(seen.cpu, cpuStep)*10)/10, l.CPU)
	}
	return s
}
