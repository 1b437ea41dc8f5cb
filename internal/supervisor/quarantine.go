package supervisor

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// judge counts a program's end against its package, if it is a crash of what
// came out of one: a worker that never got it may have ended for other reasons.
func (w *watcher) judge(i *instance, exit mp.Exit) {
	i.mu.Lock()
	entered := i.entered
	i.mu.Unlock()
	if !entered || !monitor.Crash(exit) {
		return
	}
	now := time.Now()
	digest := i.prog.digest()
	w.mu.Lock()
	_, before := w.quarantine.Blocked(digest, now)
	until, crashes := w.quarantine.Crashed(digest, i.app(), now, exit)
	if !until.IsZero() {
		w.quarantined[digest] = true
	}
	w.mu.Unlock()
	if until.IsZero() || before {
		return
	}
	w.sup.events.emit(eventQuarantined, i.id, i.app(), "digest", digest.String(),
		"crashes", itoa(crashes), "until", until.UTC().Format(time.RFC3339), "last", exit.String())
	time.AfterFunc(until.Sub(now), func() { w.expired(digest, i.app()) })
}

// expired tells of the end of a quarantine, unless it goes on or was ended
// before.
func (w *watcher) expired(digest mp.Digest, app mp.AppID) {
	w.mu.Lock()
	_, blocked := w.quarantine.Blocked(digest, time.Now())
	over := w.quarantined[digest] && !blocked
	if over {
		delete(w.quarantined, digest)
	}
	w.mu.Unlock()
	if over {
		w.released(digest, app, "its time is over")
	}
}

func (w *watcher) released(digest mp.Digest, app mp.AppID, why string) {
	w.sup.events.emit(eventReleased, "", app, "digest", digest.String(), "app_id", string(app), "reason", why)
}

// blocked is how many packages are in quarantine.
func (w *watcher) blocked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.quarantine.List(time.Now()))
}

// admit refuses a package that is in quarantine.
func (w *watcher) admit(digest mp.Digest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, blocked := w.quarantine.Blocked(digest, time.Now())
	if !blocked {
		return nil
	}
	return fmt.Errorf("%w until %s: %s crashed %d times, the last time by %v; mpsupervisor quarantine clear %s lets it start before that",
		mp.ErrQuarantine, r.Until.Format(time.RFC3339), r.App, r.Crashes, r.Last, r.Digest)
}

func (v *service) Quarantine(_ context.Context, req *controlpb.QuarantineRequest) (*controlpb.QuarantineResponse, error) {
	w := v.s.watch
	if what := req.GetClear(); what != "" {
		if err := w.clear(what); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	res := &controlpb.QuarantineResponse{}
	for _, r := range w.quarantine.List(time.Now()) {
		res.Quarantined = append(res.Quarantined, &controlpb.Quarantined{
			Digest: r.Digest.String(), AppId: string(r.App), Crashes: uint32(r.Crashes),
			Until: timestamppb.New(r.Until), Last: r.Last.String(),
		})
	}
	return res, nil
}

// clear lets packages go, and forgets their crashes.
func (w *watcher) clear(what string) error {
	w.mu.Lock()
	cleared := w.quarantine.Clear(what)
	for _, r := range cleared {
		delete(w.quarantined, r.Digest)
	}
	w.mu.Unlock()
	if len(cleared) == 0 {
		return fmt.Errorf("%w: no crash of %.80q is remembered; name a digest or an app_id", control.ErrBadRequest, what)
	}
	for _, r := range cleared {
		w.released(r.Digest, r.App, "an operator let it go")
	}
	return nil
}
