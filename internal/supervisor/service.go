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
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// service answers the control API: each method checks its arguments, calls the
// supervisor, and writes the answer. Whoever gets here has the operator role.
type service struct{ s *Supervisor }

var _ controlpbconnect.ControlHandler = (*service)(nil)

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
	var files []*os.File
	if n := announced(req.GetNative()); n > 0 {
		var err error
		if files, err = control.TakeFiles(ctx, n); err != nil {
			return nil, err
		}
	}
	a, err := attach(req.GetNative(), files)
	defer a.close()
	if err != nil {
		return nil, err
	}
	i, err := v.prepare(req, &a)
	if err != nil {
		return nil, err
	}
	if err := v.s.start(ctx, i, a); err != nil {
		return nil, err
	}
	if req.GetAttached() {
		i.leaseFor(v.s.timing.lease)
	}
	return i.startedAs(began), nil
}

func (i *instance) startedAs(began time.Time) *controlpb.StartResponse {
	res := &controlpb.StartResponse{Id: string(i.id), Took: durationpb.New(time.Since(began))}
	i.mu.Lock()
	defer i.mu.Unlock()
	res.Exports = i.exports
	if i.state == ended {
		res.Exit = control.EncodeExit(i.exit, i.endTime)
	}
	return res
}

// prepare makes the instance that a request asks for, and adds the root
// directory of its package to what came with it.
func (v *service) prepare(req *controlpb.StartRequest, a *attachments) (*instance, error) {
	if req.GetLearn() && !v.s.cfg.Learn {
		return nil, errNoLearn
	}
	p, err := v.pack(req)
	if err != nil {
		return nil, err
	}
	i, err := v.admit(p, req, a)
	if err != nil {
		v.s.packages.release(p)
	}
	return i, err
}

var errNoLearn = fmt.Errorf("%w: the launcher of this supervisor does not record system calls: set learn = true in its configuration and restart it, or stop it and use mpsupervisor run, which then starts one of its own", control.ErrBadRequest)

// pack holds the package of a request; it is nil if a directory came instead.
func (v *service) pack(req *controlpb.StartRequest) (*pack, error) {
	if req.GetNative().GetRoot() {
		if req.GetDigest() != "" {
			return nil, fmt.Errorf("%w: a package and a root directory; a program has one of them", control.ErrBadRequest)
		}
		return nil, nil
	}
	digest, err := mp.ParseDigest(req.GetDigest())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", control.ErrBadRequest, err)
	}
	if err := v.s.watch.admit(digest); err != nil {
		return nil, err
	}
	return v.s.packages.acquire(digest)
}

// admit makes the instance of a program within its limits.
func (v *service) admit(p *pack, req *controlpb.StartRequest, a *attachments) (*instance, error) {
	prog, err := programOf(p, req.GetNative())
	if err != nil {
		return nil, err
	}
	prog.learn = req.GetLearn()
	if prog.learn && prog.role == launch.RoleWasm {
		return nil, fmt.Errorf("%w: %s has the runtime %q, of which no system calls are recorded: they are the engine's own", control.ErrBadRequest, prog.app, prog.runtime())
	}
	limits, err := effective(v.s.current(), prog.limits, req.GetLimits())
	if err != nil {
		return nil, err
	}
	if err := v.s.extract(&prog, a); err != nil {
		return nil, err
	}
	return v.s.admit(newInstance(v.s, prog, limits, v.s.current()))
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
	if sl := v.s.sleeper(req.GetId()); sl != nil {
		exit, err := v.s.killSleeper(sl)
		return &controlpb.KillResponse{Exit: exit}, err
	}
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	if !req.GetNow() {
		i.unload()
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
	lines, err := v.s.linesOf(req.GetId())
	if err != nil {
		return err
	}
	if err := out.Send(nil); err != nil { // headers: the caller learns that the program is known
		return err
	}
	return lines.each(ctx, req.GetFollow(), func(l line, lost uint64) error {
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
		Hibernated:   uint32(len(v.s.sleepers())),
	}, nil
}
