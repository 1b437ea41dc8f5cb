package supervisor

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// The methods of the control API that change a program that runs.

func (v *service) Update(ctx context.Context, req *controlpb.UpdateRequest) (*controlpb.UpdateResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	limits, err := i.update(ctx, v.s.current().Max, req.GetLimits())
	if err != nil {
		return nil, err
	}
	return &controlpb.UpdateResponse{Limits: encodeLimits(limits)}, nil
}

func (v *service) Freeze(ctx context.Context, req *controlpb.FreezeRequest) (*controlpb.FreezeResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	return &controlpb.FreezeResponse{}, i.freeze(ctx, "operator")
}

func (v *service) Thaw(ctx context.Context, req *controlpb.ThawRequest) (*controlpb.ThawResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	return &controlpb.ThawResponse{}, i.thaw(ctx)
}

func (v *service) Signal(ctx context.Context, req *controlpb.SignalRequest) (*controlpb.SignalResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	return &controlpb.SignalResponse{}, i.signal(ctx, int(req.GetNumber()))
}

// signal has the worker of a native program send a signal to its process group.
func (i *instance) signal(ctx context.Context, number int) error {
	if i.prog.role != launch.RoleNative {
		return fmt.Errorf("%w: %s has the runtime %q, whose programs take no signals", control.ErrBadRequest, i.app(), i.prog.runtime())
	}
	body, err := wire.Marshal(wire.MethodSignal, &wire.Signal{Number: number})
	if err != nil {
		return fmt.Errorf("%w: %w; signals are numbered from 1 to %d", control.ErrBadRequest, err, int(syscall.SIGSYS))
	}
	conn, err := i.begin()
	if err != nil {
		return err
	}
	defer i.finished()
	limit, cancel := i.timeout(ctx, i.bounds().CallTimeout)
	defer cancel()
	answer, err := conn.Call(limit, body)
	if err != nil {
		return i.signalFailed(ctx, limit, err)
	}
	if err := wire.Unmarshal(answer, &wire.Done{}); err != nil {
		i.violated(err)
		return i.endedSoon(ctx)
	}
	return nil
}

// signalFailed says why a signal was not answered. That the program ended by it
// is what signals are for.
func (i *instance) signalFailed(ctx, limit context.Context, err error) error {
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return fmt.Errorf("the worker cannot send the signal: %s", firstLine(remote.Error()))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return i.endsItself(ctx, limit, "a signal")
}

func (v *service) Show(ctx context.Context, req *controlpb.ShowRequest) (*controlpb.ShowResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	return &controlpb.ShowResponse{}, i.show(ctx, req.GetPage())
}

func (v *service) Hide(ctx context.Context, req *controlpb.HideRequest) (*controlpb.HideResponse, error) {
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	return &controlpb.HideResponse{}, i.hide(ctx, req.GetPage())
}
