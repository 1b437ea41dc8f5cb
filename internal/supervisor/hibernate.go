package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

func (v *service) Hibernate(ctx context.Context, req *controlpb.HibernateRequest) (*controlpb.HibernateResponse, error) {
	began := time.Now()
	i, err := v.s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	if err := v.s.enter(); err != nil {
		return nil, err
	}
	defer v.s.leave()
	kept, err := i.hibernate(ctx)
	if err != nil {
		return nil, err
	}
	return &controlpb.HibernateResponse{ImageBytes: uint64(kept.Image), StateBytes: uint64(kept.State), Took: durationpb.New(time.Since(began))}, nil
}

// errNoImages is for a supervisor that keeps nothing beyond its own life.
var errNoImages = fmt.Errorf("%w: this supervisor keeps no images: it was started in place, or its state directory could not be used; its log says why", control.ErrBadRequest)

// hibernate writes the program to the disk and ends its worker. When it returns
// without an error the program can be resumed, by a later supervisor too; with
// one, the program goes on, unless the error says that it has ended.
func (i *instance) hibernate(ctx context.Context) (*image.Instance, error) {
	i.turn.Lock()
	defer i.turn.Unlock()
	conn, err := i.lieDown()
	if err != nil {
		return nil, err
	}
	// The caller's going away does not stop it half-way.
	sl, err := i.fallAsleep(context.WithoutCancel(ctx), conn)
	i.setState(suspending, running)
	if err != nil {
		return nil, fmt.Errorf("cannot hibernate %s: %w", i.id, err)
	}
	i.sup.events.emit(eventHibernated, i.id, i.app(), "bytes", itoa(int(sl.Image)), "state_bytes", itoa(int(sl.State)))
	return &sl.Instance, nil
}

// lieDown says whether the program can be hibernated, and has it take no more
// calls.
func (i *instance) lieDown() (*ipc.Conn, error) {
	switch {
	case i.sup.cfg.Images == nil:
		return nil, errNoImages
	case i.prog.role != launch.RoleJS:
		return nil, fmt.Errorf("%w: %s has the runtime %q; only programs in JavaScript can be hibernated", control.ErrBadRequest, i.app(), i.prog.runtime())
	case i.prog.learn:
		return nil, fmt.Errorf("%w: %s is learning; start it without that to hibernate it", control.ErrBadRequest, i.id)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.available(); err != nil {
		return nil, err
	}
	if i.pause.frozen {
		return nil, fmt.Errorf("%w: thaw %s first", mp.ErrFrozen, i.id)
	}
	i.state = suspending
	return i.conn, nil
}

// fallAsleep does what hibernate does. If the image could not be kept when the
// worker had given up the program, another worker goes on with it from memory.
func (i *instance) fallAsleep(ctx context.Context, conn *ipc.Conn) (*sleeper, error) {
	draft, err := i.prepareImage(ctx)
	if err != nil {
		return nil, err
	}
	file, saved, err := i.giveAll(ctx, conn)
	if err != nil {
		draft.Abandon()
		return nil, err
	}
	defer file.Close()
	bytes := sizeOf(file)
	kept, failed := draft.Keep(file, bytes, saved)
	sl := &sleeper{Instance: kept, console: i.console}
	if failed != nil {
		sl.Instance = i.portrait(bytes)
		sl.State = int64(len(saved))
	}
	if err := i.leaveWorker(sl, failed == nil); err != nil {
		return nil, errors.Join(err, i.sup.cfg.Images.Drop(i.id))
	}
	if failed != nil {
		return nil, i.goOnFrom(ctx, sl, file, saved, failed)
	}
	return sl, nil
}

// giveAll has the program save what it wants to, and its worker write its image.
func (i *instance) giveAll(ctx context.Context, conn *ipc.Conn) (file *os.File, saved []byte, err error) {
	if saved, err = i.lastWish(ctx, conn); err != nil {
		return nil, nil, err
	}
	file, err = i.suspend(ctx, conn, mp.ImageInstance)
	return file, saved, err
}

// portrait is the instance as the store keeps it.
func (i *instance) portrait(bytes int64) image.Instance {
	i.mu.Lock()
	defer i.mu.Unlock()
	return image.Instance{
		ID: i.id, App: i.app(), Name: i.prog.name, Version: i.prog.version, Entry: i.prog.entry,
		Package: i.prog.digest(), Build: i.build, Limits: i.limits, Born: i.began, Since: time.Now(),
		Calls: i.calls, Exports: i.exports, Image: bytes,
	}
}

// prepareImage makes room on the disk for whatever the program's heap can be.
// What it does not hold in memory now is not in it.
func (i *instance) prepareImage(ctx context.Context) (*image.Draft, error) {
	stat, err := i.sup.look(ctx, i)
	if err != nil {
		return nil, fmt.Errorf("cannot look at the worker: %w", err)
	}
	pack, err := i.prog.pack.Reopen()
	if err != nil {
		return nil, fmt.Errorf("cannot open the package: %w", err)
	}
	defer pack.Close()
	return i.sup.cfg.Images.Prepare(i.portrait(0), pack, int64(stat.Memory))
}

// leaveWorker ends the worker, whose program lives on elsewhere. The error says
// that the program has ended after all.
func (i *instance) leaveWorker(sl *sleeper, kept bool) error {
	i.mu.Lock()
	if i.state != suspending {
		i.mu.Unlock()
		<-i.done
		return i.endedError()
	}
	i.state, i.asleep = ending, true
	i.ours = &verdict{cause: mp.CauseKilled, detail: "its program was hibernated"}
	i.mu.Unlock()
	if kept {
		i.sup.putToBed(sl)
	}
	i.kill() // here, and not beside: a later worker may have the same name
	<-i.done
	return nil
}

// goOnFrom has another worker go on with a program whose image could not be kept.
func (i *instance) goOnFrom(ctx context.Context, sl *sleeper, file *os.File, saved []byte, why error) error {
	_, err := i.sup.wakeUp(ctx, sl, &wake{sleeper: sl, image: file, saved: saved})
	if err != nil {
		return fmt.Errorf("%w; then it could not go on either, and has ended: %w", why, err)
	}
	return fmt.Errorf("%w; the program goes on", why)
}
