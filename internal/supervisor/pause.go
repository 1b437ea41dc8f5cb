package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// pause keeps account of the time in which a program is frozen: it does not
// count for deadlines. The zero value has never been frozen.
type pause struct {
	frozen bool
	since  time.Time     // when frozen
	past   time.Duration // of the freezes that are over
}

func (p *pause) begin(now time.Time) { p.frozen, p.since = true, now }

func (p *pause) end(now time.Time) {
	p.frozen = false
	p.past += now.Sub(p.since)
}

// total is for how long it has been frozen altogether.
func (p *pause) total(now time.Time) time.Duration {
	if p.frozen {
		return p.past + now.Sub(p.since)
	}
	return p.past
}

// changeWait bounds what the launcher may take over one change of a worker.
const changeWait = 10 * time.Second

// freeze stops the program where it is. From the first moment on calls are
// refused. It is no error if the program is frozen already. why is for people.
func (i *instance) freeze(ctx context.Context, why string) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	frozen, err := i.pauseable()
	if err != nil || frozen {
		return err
	}
	i.mu.Lock()
	i.pause.begin(time.Now())
	i.mu.Unlock()
	if err := i.ask(ctx, i.sup.cfg.Launcher.Freeze); err != nil {
		i.ask(ctx, i.sup.cfg.Launcher.Thaw) // whatever part of it stands still
		i.thawed()
		return fmt.Errorf("cannot freeze the program: %w", err)
	}
	i.sup.events.emit(eventFrozen, i.id, i.app(), "by", why)
	return nil
}

// thaw lets a frozen program go on.
func (i *instance) thaw(ctx context.Context) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	frozen, err := i.pauseable()
	if err != nil || !frozen {
		return err
	}
	if err := i.ask(ctx, i.sup.cfg.Launcher.Thaw); err != nil {
		return fmt.Errorf("cannot thaw the program: %w", err)
	}
	i.sup.events.emit(eventThawed, i.id, i.app(), "after", i.thawed().Round(time.Millisecond).String())
	return nil
}

// thawed ends the pause, and tells how long it was.
func (i *instance) thawed() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	was := now.Sub(i.pause.since)
	i.pause.end(now)
	return was
}

// pauseable reports whether the program is frozen, or why it cannot be.
func (i *instance) pauseable() (frozen bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.pause.frozen, i.available()
}

// ask has the launcher change the worker. The caller's going away does not stop
// it half-way.
func (i *instance) ask(ctx context.Context, change func(context.Context, mp.InstanceID) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeWait)
	defer cancel()
	return change(ctx, i.id)
}

// paused reports whether the program is frozen.
func (i *instance) paused() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.pause.frozen
}

// awake is for how long the program has not been frozen since it was made.
func (i *instance) awake() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	return now.Sub(i.born) - i.pause.total(now)
}

// leastWait is the shortest time between two looks at a deadline that frozen
// time moves.
const leastWait = 20 * time.Millisecond

// timeout is context.WithTimeout for what waits for the program: time in which
// it is frozen does not count.
func (i *instance) timeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	end := i.awake() + d
	go func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			left := end - i.awake()
			if left <= 0 {
				cancel(context.DeadlineExceeded)
				return
			}
			timer.Reset(max(left, leastWait))
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
