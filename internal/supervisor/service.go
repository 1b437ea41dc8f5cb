package supervisor

import (
	"context"
	"fmt"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// service answers the control API: each method checks its arguments, calls the
// supervisor, and writes the answer. Whoever gets here has the operator role.
type service struct {
	controlpbconnect.UnimplementedControlHandler
	s *Supervisor
}

func (v *service) PutPackage(ctx context.Context, _ *controlpb.PutPackageRequest) (*controlpb.PutPackageResponse, error) {
	f, err := control.TakeFile(ctx)
	if err != nil {
		return nil, err
	}
	p, added, err := v.s.packages.put(f)
	if err != nil {
		return nil, err
	}
	m := p.Manifest
	if added {
		v.s.events.emit(eventPackageAdded, "", m.AppID, "digest", p.Digest.String(), "bytes", itoa(int(p.Size)), "app_id", string(m.AppID))
	}
	res := &controlpb.PutPackageResponse{Digest: p.Digest.String(), AppId: string(m.AppID), Name: m.Name, Version: m.Version.Name, Runtime: m.Vendor.Runtime}
	for _, w := range p.Warnings {
		res.Warnings = append(res.Warnings, &controlpb.Warning{Member: w.Member, Line: int32(w.Line), Message: w.Message})
	}
	return res, nil
}

func (v *service) Start(ctx context.Context, req *controlpb.StartRequest) (*controlpb.StartResponse, error) {
	began := time.Now()
	digest, err := mp.ParseDigest(req.GetDigest())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	i, err := v.prepare(digest, req.GetLimits())
	if err != nil {
		return nil, err
	}
	if err := v.s.start(ctx, i); err != nil {
		return nil, err
	}
	res := &controlpb.StartResponse{Id: string(i.id), Took: durationpb.New(time.Since(began))}
	if req.GetAttached() {
		i.leaseFor(v.s.timing.lease)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	res.Exports = i.exports
	if i.state == ended {
		res.Exit = control.EncodeExit(i.exit, i.endTime)
	}
	return res, nil
}

// prepare makes the instance of a package within its limits.
func (v *service) prepare(digest mp.Digest, asked *controlpb.Limits) (*instance, error) {
	p, err := v.s.packages.acquire(digest)
	if err != nil {
		return nil, err
	}
	limits, err := effective(v.s.current(), p.Manifest.Vendor.Limits, asked)
	if err == nil {
		var i *instance
		if i, err = v.s.register(p, limits); err == nil {
			return i, nil
		}
	}
	v.s.packages.release(p)
	return nil, err
}

func (v *service) Call(ctx context.Context, req *controlpb.CallRequest) (*controlpb.CallResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	if err := v.s.enter(); err != nil {
		return nil, err
	}
	defer v.s.leave()
	began := time.Now()
	reply, err := i.call(ctx, req.GetName(), req.GetInputJson(), req.GetTimeout().AsDuration())
	if err != nil {
		return nil, err
	}
	res := &controlpb.CallResponse{Took: durationpb.New(time.Since(began))}
	if e := reply.Error; e != nil {
		res.Outcome = &controlpb.CallResponse_Thrown{Thrown: &controlpb.Thrown{Name: e.Name, Message: e.Message, Stack: e.Stack}}
	} else {
		res.Outcome = &controlpb.CallResponse_OutputJson{OutputJson: string(reply.Output)}
	}
	return res, nil
}

func (v *service) Kill(ctx context.Context, req *controlpb.KillRequest) (*controlpb.KillResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	i.end(verdict{cause: mp.CauseKilled})
	exit, err := i.wait(ctx)
	if err != nil {
		return nil, err
	}
	return &controlpb.KillResponse{Exit: exit}, nil
}

func (v *service) Wait(ctx context.Context, req *controlpb.WaitRequest) (*controlpb.WaitResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	wait := i.wait
	if req.GetAttached() {
		wait = i.waitAttached
	}
	exit, err := wait(ctx)
	if err != nil {
		return nil, err
	}
	return &controlpb.WaitResponse{Exit: exit}, nil
}

func (v *service) Logs(ctx context.Context, req *controlpb.LogsRequest, out *connect.ServerStream[controlpb.LogLine]) error {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return err
	}
	if err := out.Send(nil); err != nil { // headers: the caller learns that the program is known
		return err
	}
	return i.console.lines.each(ctx, req.GetFollow(), func(l line, lost uint64) error {
		return out.Send(&controlpb.LogLine{
			Time:    timestamppb.New(l.time),
			Level:   l.level,
			Text:    l.text,
			Dropped: saturated(l.dropped, lost),
		})
	})
}

func (v *service) Events(ctx context.Context, req *controlpb.EventsRequest, out *connect.ServerStream[controlpb.Event]) error {
	if err := out.Send(nil); err != nil { // headers: the caller learns that it is let in
		return err
	}
	return v.s.events.each(ctx, req.GetFollow(), func(e event, _ uint64) error {
		return out.Send(&controlpb.Event{
			Seq:    e.Seq,
			Time:   timestamppb.New(e.Time),
			Type:   e.Type,
			Id:     string(e.ID),
			AppId:  string(e.AppID),
			Fields: e.Fields,
		})
	})
}

func (v *service) Info(context.Context, *controlpb.InfoRequest) (*controlpb.InfoResponse, error) {
	c := v.s.cfg
	return &controlpb.InfoResponse{
		Version:      c.Version,
		Pid:          int32(os.Getpid()),
		Uid:          uint32(os.Getuid()),
		Started:      timestamppb.New(v.s.born),
		LauncherPid:  int32(c.LauncherPID),
		CgroupLayout: c.CgroupLayout,
		ConfigFile:   c.ConfigFile,
		Running:      uint32(len(v.s.list(false))),
	}, nil
}
