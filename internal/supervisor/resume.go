package supervisor

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func (v *service) Resume(ctx context.Context, req *controlpb.ResumeRequest) (*controlpb.ResumeResponse, error) {
	began := time.Now()
	sl := v.s.sleeper(req.GetId())
	if sl == nil {
		i, err := v.s.find(req.GetId())
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s is not hibernated", control.ErrBadRequest, i.id)
	}
	if err := v.s.enter(); err != nil {
		return nil, err
	}
	defer v.s.leave()
	i, err := v.s.resume(context.WithoutCancel(ctx), sl) // its image is used up half-way
	if err != nil {
		return nil, err
	}
	started := i.startedAs(began)
	i.mu.Lock()
	defer i.mu.Unlock()
	return &controlpb.ResumeResponse{
		Image: i.start.image, Reason: i.start.reason, Exports: started.Exports, Exit: started.Exit, Took: durationpb.New(time.Since(began)),
	}, nil
}

// wake is how a hibernated program comes back.
type wake struct {
	sleeper *sleeper
	image   *os.File // it could not be kept; nil: the store has it
	saved   []byte   // what the program saved itself
}

// resume goes on with a hibernated program. After an error it is hibernated
// still, but perhaps without an image.
func (s *Supervisor) resume(ctx context.Context, sl *sleeper) (*instance, error) {
	if !sl.turn.TryLock() {
		return nil, fmt.Errorf("%w: %s is being resumed already", control.ErrBusy, sl.ID)
	}
	defer sl.turn.Unlock()
	if s.sleeper(string(sl.ID)) != sl {
		return nil, fmt.Errorf("%w: %s was just resumed or ended", control.ErrBusy, sl.ID)
	}
	i, err := s.wakeUp(ctx, sl, &wake{sleeper: sl})
	if err != nil {
		return nil, fmt.Errorf("cannot resume %s: %w", sl.ID, err)
	}
	if err := s.cfg.Images.Drop(sl.ID); err != nil {
		s.cfg.Log.Warn("a program that was resumed is hibernated again at the next start", "id", sl.ID, "error", err)
	}
	s.leaveBed(sl)
	i.mu.Lock()
	start, over := i.start, i.state == ended
	i.mu.Unlock()
	s.events.emit(eventResumed, i.id, i.app(), "image", start.image, "reason", start.reason)
	if over && s.remember(i) { // its end was not told while it counted as hibernated
		s.tellEnd(i)
	}
	return i, nil
}

// wakeUp makes a worker for a program that has none, under the same name.
func (s *Supervisor) wakeUp(ctx context.Context, sl *sleeper, w *wake) (*instance, error) {
	if err := s.watch.admit(sl.Package); err != nil {
		return nil, err
	}
	p, err := s.packageOf(sl)
	if err != nil {
		return nil, err
	}
	i, err := s.admit(s.again(p, sl, w))
	if err != nil {
		s.packages.release(p)
		return nil, err
	}
	return i, s.start(ctx, i, attachments{})
}

// again is the instance of a program that has been one before.
func (s *Supervisor) again(p *pack, sl *sleeper, w *wake) *instance {
	i := newInstance(s, packaged(p), sl.Limits, s.current())
	i.id, i.began, i.calls, i.wake = sl.ID, sl.Born, sl.Calls, w
	if sl.console != nil {
		i.console.follow(sl.console)
	}
	return i
}

// packageOf finds the package of a hibernated program, and keeps it from being
// dropped: the one in memory, or the copy.
func (s *Supervisor) packageOf(sl *sleeper) (*pack, error) {
	if p, err := s.packages.acquire(sl.Package); err == nil {
		return p, nil
	}
	f, err := s.cfg.Images.Package(sl.Package)
	if err != nil {
		return nil, fmt.Errorf("%w; put the package again", err)
	}
	p, _, err := s.packages.put(f)
	if err != nil {
		return nil, fmt.Errorf("the copy of package %v: %w; put the package again", sl.Package, err)
	}
	if p.Digest != sl.Package {
		return nil, fmt.Errorf("the copy of package %v was changed; put the package again: %w", sl.Package, mp.ErrBadPackage)
	}
	return s.packages.acquire(sl.Package)
}
