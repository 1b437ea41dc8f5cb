package supervisor

import (
	"context"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// wait returns how the program ended, once it has.
func (i *instance) wait(ctx context.Context) (*controlpb.Exit, error) {
	select {
	case <-i.done:
		if i.leftAsleep() {
			return nil, errAsleep(i.id)
		}
		return control.EncodeExit(i.result()), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// waitAttached is wait for a caller that the program lives for: if it goes away
// first, the program is ended, unless another such caller is still there.
func (i *instance) waitAttached(ctx context.Context) (*controlpb.Exit, error) {
	i.mu.Lock()
	i.attached++
	if i.lease != nil {
		i.lease.Stop()
	}
	i.mu.Unlock()
	exit, err := i.wait(ctx)
	i.mu.Lock()
	i.attached--
	last := i.attached == 0
	i.mu.Unlock()
	if err != nil && last {
		i.end(verdict{cause: mp.CauseKilled, detail: "its caller went away"})
	}
	return exit, err
}

// leaseFor ends the program unless a caller of waitAttached comes in time.
func (i *instance) leaseFor(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state == ended || i.attached > 0 {
		return
	}
	i.lease = time.AfterFunc(d, func() {
		i.mu.Lock()
		nobody := i.attached == 0
		i.mu.Unlock()
		if nobody {
			i.end(verdict{cause: mp.CauseKilled, detail: "its caller did not come back after the start"})
		}
	})
}
