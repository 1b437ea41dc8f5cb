package supervisor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// watcher samples the programs that run, has the monitor judge what they use,
// and carries its answers out. While nothing runs it sleeps.
type watcher struct {
	sup  *Supervisor
	wake chan struct{} // something may run, or the settings changed

	mu          sync.Mutex // comes after every other
	monitor     *monitor.Monitor
	quarantine  *monitor.Quarantine
	quarantined map[mp.Digest]bool // whose release has not been told
	interval    time.Duration
}

func newWatcher(s *Supervisor, settings Settings) (*watcher, error) {
	m, err := monitor.New(settings.Monitor)
	if err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	q, err := monitor.NewQuarantine(settings.Quarantine)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return &watcher{
		sup: s, wake: make(chan struct{}, 1), interval: settings.Monitor.Interval,
		monitor: m, quarantine: q, quarantined: map[mp.Digest]bool{},
	}, nil
}

// stir has a watcher that sleeps look whether something runs.
func (w *watcher) stir() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look
	}
}

// run samples until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for {
		wake, next := w.wake, (<-chan time.Time)(nil)
		if all := w.sup.running(); len(all) > 0 {
			w.sample(ctx, all)
			wake, next = nil, time.After(w.pace())
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-next:
		}
	}
}

func (w *watcher) pace() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interval
}

// running lists the programs that can be sampled.
func (s *Supervisor) running() (all []*instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.live {
		i.mu.Lock()
		if i.state == running {
			all = append(all, i)
		}
		i.mu.Unlock()
	}
	return all
}

// sample asks for all programs, some at a time. A launcher that does not answer
// costs this round and nothing else.
func (w *watcher) sample(ctx context.Context, all []*instance) {
	for some := range slices.Chunk(all, launch.MaxSamples) {
		ids, of := make([]mp.InstanceID, len(some)), map[mp.InstanceID]*instance{}
		for n, i := range some {
			ids[n], of[i.id] = i.id, i
		}
		limit, cancel := context.WithTimeout(ctx, statWait)
		samples, err := w.sup.cfg.Launcher.Sample(limit, ids)
		cancel()
		if err != nil {
			w.sup.cfg.Log.Debug("cannot sample programs", "error", err)
			return
		}
		now := time.Now()
		for _, s := range samples {
			if i := of[s.ID]; i != nil {
				w.take(i, s, now)
			}
		}
	}
}

// take judges one sample.
func (w *watcher) take(i *instance, s launch.Sample, now time.Time) {
	c := i.counters(s)
	limits := i.bounds()
	w.mu.Lock()
	answers := w.monitor.Add(i.id, now, limits, c)
	latest, _ := w.monitor.Latest(i.id)
	w.mu.Unlock()
	i.mu.Lock()
	i.sampled = c
	i.peaks.add(s, latest)
	over := i.state == ended
	i.mu.Unlock()
	if over { // it ended meanwhile, and was dropped before it was added
		w.drop(i)
		return
	}
	for _, a := range answers {
		w.sup.totals.answered(a)
		w.sup.events.emit(eventRule, i.id, i.app(), a.Fields()...)
		go w.carryOut(i, a)
	}
}

// counters puts what the launcher saw together with what passed through here.
func (i *instance) counters(s launch.Sample) monitor.Counters {
	kept, dropped := i.console.counts()
	c := monitor.Counters{
		CPU: s.CPU, Memory: s.Memory, Pids: s.Pids, Periods: s.Periods, Throttled: s.Throttled,
		Faults: s.Faults, MajorFaults: s.MajorFaults, Reclaimed: s.Reclaimed, Stalled: s.Stalled, Frozen: s.Frozen,
		LogLines: saturated(kept, dropped), LogDropped: dropped, Denials: i.witness.count(),
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.conn != nil {
		stats := i.conn.Stats()
		c.IPCMessages = stats.CallsIn + stats.NotifiesIn
	}
	return c
}

// carryOut does what the monitor answered.
func (w *watcher) carryOut(i *instance, a monitor.Answer) {
	var err error
	switch a.Action {
	case monitor.ActionThrottle:
		err = w.requota(i, eventThrottled, a)
	case monitor.ActionRelease:
		err = w.requota(i, eventUnthrottled, a)
	case monitor.ActionFreeze:
		err = i.freeze(context.Background(), "rule "+a.Rule)
	case monitor.ActionEnd:
		i.end(verdict{cause: mp.CauseRule, detail: a.String()})
	}
	if err != nil && !within(i.dead, 0) {
		w.sup.cfg.Log.Warn("cannot do what the monitor answered", "id", i.id, "rule", a.Rule, "action", a.Action, "error", err)
	}
}

// requota puts the processor quota in force that the monitor wants now: answers
// may have overtaken each other.
func (w *watcher) requota(i *instance, kind string, a monitor.Answer) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	if _, err := i.pauseable(); err != nil {
		return err
	}
	if err := i.enforce(context.Background(), i.bounds()); err != nil {
		return err
	}
	w.sup.events.emit(kind, i.id, i.app(), "rule", a.Rule, "cpu", fmt.Sprintf("%g", a.CPU))
	return nil
}

// quota is what the monitor leaves of a processor limit.
func (w *watcher) quota(id mp.InstanceID, limit float64) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.monitor.Quota(id, limit)
}

// drop forgets the samples of a program that has ended.
func (w *watcher) drop(i *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.monitor.Drop(i.id)
}

// seen gives what is kept of a program.
func (w *watcher) seen(id mp.InstanceID, history bool) (now monitor.Rates, any bool, all []monitor.Rates, throttledBy string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, any = w.monitor.Latest(id)
	if history {
		all = w.monitor.History(id)
	}
	return now, any, all, w.monitor.ThrottledBy(id)
}

// configure puts other settings in force, and undoes what rules did that are no
// more.
func (w *watcher) configure(settings Settings) error {
	w.mu.Lock()
	answers, err := w.monitor.Configure(settings.Monitor)
	if err == nil {
		err = w.quarantine.Configure(settings.Quarantine)
	}
	w.interval = settings.Monitor.Interval
	w.mu.Unlock()
	for _, a := range answers {
		if i, err := w.sup.find(string(a.ID)); err == nil {
			go w.carryOut(i, a)
		}
	}
	return err
}
