package supervisor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

const (
	statWait    = 2 * time.Second // for the launcher to look at one worker
	statsAtOnce = 8               // when many are looked at

	stateFrozen = "frozen" // what is told of a program that is running and frozen
)

func (v *service) List(ctx context.Context, req *controlpb.ListRequest) (*controlpb.ListResponse, error) {
	all, awake := v.s.list(req.GetAll()), len(v.s.list(false))
	res := &controlpb.ListResponse{Programs: make([]*controlpb.Program, len(all))}
	var wg sync.WaitGroup
	slots := make(chan struct{}, statsAtOnce)
	for n, i := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			stat, _ := v.s.look(ctx, i) // one that just ends has none
			res.Programs[n] = i.program(stat)
		})
	}
	wg.Wait()
	res.Programs = slices.Insert(res.Programs, min(awake, len(all)), v.s.sleeping()...)
	return res, nil
}

func (v *service) Inspect(ctx context.Context, req *controlpb.InspectRequest) (*controlpb.InspectResponse, error) {
	if sl := v.s.sleeper(req.GetId()); sl != nil {
		return sl.inspect(), nil
	}
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	stat, err := v.s.look(ctx, i)
	if err != nil && !within(i.dead, 0) {
		return nil, fmt.Errorf("cannot look at the worker: %w", err)
	}
	res := &controlpb.InspectResponse{
		Program:  i.program(stat),
		Limits:   encodeLimits(i.bounds()),
		Usage:    i.usage(stat),
		Channel:  i.channel(),
		Entry:    i.prog.entry,
		Denials:  i.witness.list(),
		Learning: i.prog.learn,
		Pages:    i.prog.pages(),
	}
	for _, l := range stat.Locks {
		res.Locks = append(res.Locks, &controlpb.Lock{Name: l.Name, Want: l.Want, Found: l.Found, Ok: l.OK})
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	res.Exports, res.Image = i.exports, i.image
	res.StartImage, res.StartReason = i.start.image, i.start.reason
	if i.proc.Pid != 0 {
		res.PolicyDigest = i.proc.Policy.String()
	}
	return res, nil
}

// look has the launcher look at a worker now. There is nothing to see of one
// that does not exist yet, or any more.
func (s *Supervisor) look(ctx context.Context, i *instance) (launch.Stat, error) {
	i.mu.Lock()
	there := i.proc.Pid != 0 && i.state != ended
	i.mu.Unlock()
	if !there {
		return launch.Stat{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, statWait)
	defer cancel()
	return s.cfg.Launcher.Stat(ctx, i.id)
}

// program describes an instance, with what the launcher saw of its worker.
func (i *instance) program(stat launch.Stat) *controlpb.Program {
	i.mu.Lock()
	defer i.mu.Unlock()
	state := string(i.state)
	if i.state == running && i.pause.frozen {
		state = stateFrozen
	}
	p := &controlpb.Program{
		Id:          string(i.id),
		AppId:       string(i.app()),
		Name:        i.prog.name,
		Version:     i.prog.version,
		Digest:      i.prog.digestText(),
		Runtime:     i.prog.runtime(),
		State:       state,
		Started:     timestamppb.New(i.began),
		Pid:         int32(i.proc.Pid),
		MemoryBytes: stat.Memory,
		Cpu:         durationpb.New(stat.CPU),
		Calls:       i.calls,
		Visible:     i.life.visible && i.state != ended,
		Page:        i.life.page,
	}
	if i.state == ended {
		p.Exit = control.EncodeExit(i.exit, i.endTime)
		p.Cpu = durationpb.New(cpuOf(i.last))
	}
	return p
}

// usage tells what the worker uses, or used until it ended.
func (i *instance) usage(stat launch.Stat) *controlpb.Usage {
	kept, dropped := i.console.counts()
	i.mu.Lock()
	defer i.mu.Unlock()
	u := &controlpb.Usage{
		MemoryBytes:      stat.Memory,
		PeakBytes:        stat.Peak,
		Pids:             stat.Pids,
		Cpu:              durationpb.New(stat.CPU),
		ThrottledPeriods: stat.Throttled,
		LogLines:         kept,
		LogDropped:       dropped,
	}
	if i.state == ended {
		u.PeakBytes, u.Cpu = i.last.PeakBytes, durationpb.New(cpuOf(i.last))
	}
	return u
}

func cpuOf(e launch.Exited) time.Duration { return time.Duration(e.CPUMicros) * time.Microsecond }

// channel describes the channel as it is, or was when the program ended.
func (i *instance) channel() *controlpb.Channel {
	i.mu.Lock()
	defer i.mu.Unlock()
	stats := i.stats
	if i.conn != nil {
		stats = i.conn.Stats()
	}
	return encodeChannel(i.handshake, stats)
}

func encodeChannel(handshake string, s ipc.Stats) *controlpb.Channel {
	return &controlpb.Channel{
		Handshake:        handshake,
		SentBytes:        s.BytesOut,
		ReceivedBytes:    s.BytesIn,
		SentMessages:     s.CallsOut + s.NotifiesOut,
		ReceivedMessages: s.CallsIn + s.NotifiesIn,
		Rekeys:           s.RekeysIn + s.RekeysOut,
	}
}

func encodeLimits(l mp.Limits) *controlpb.Limits {
	logs, ipc := int32(l.LogRate), int32(l.IPCRate)
	return &controlpb.Limits{
		MemoryBytes:     &l.Memory,
		Pids:            &l.Pids,
		Cpu:             &l.CPU,
		CallTimeout:     durationpb.New(l.CallTimeout),
		LogRate:         &logs,
		MemorySoftBytes: &l.MemorySoft,
		CpuWeight:       &l.CPUWeight,
		IoRate:          &l.IORate,
		IoWeight:        &l.IOWeight,
		TmpBytes:        &l.TmpBytes,
		TmpFiles:        &l.TmpFiles,
		Files:           &l.Files,
		IpcRate:         &ipc,
	}
}
