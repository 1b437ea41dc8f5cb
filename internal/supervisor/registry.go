package supervisor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// admit makes an instance one of the live ones, if there is room for one more.
// A maker of images does not count.
func (s *Supervisor) admit(i *instance) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	running := 0
	for _, other := range s.live {
		if !other.maker {
			running++
		}
	}
	switch {
	case s.draining:
		return nil, control.ErrStopping
	case running >= s.settings.MaxPrograms && !i.maker:
		return nil, fmt.Errorf("%w: %d programs run, which is the most that this supervisor starts", control.ErrBusy, running)
	case s.live[i.id] != nil: // cannot happen: a hibernated program has no worker
		return nil, fmt.Errorf("%w: there is a program %s already", control.ErrBusy, i.id)
	}
	s.live[i.id] = i
	return i, nil
}

// forget drops an instance that never had a worker.
func (s *Supervisor) forget(i *instance) {
	i.mu.Lock()
	i.state = ended
	i.mu.Unlock()
	close(i.done)
	s.mu.Lock()
	delete(s.live, i.id)
	s.mu.Unlock()
	s.packages.release(i.prog.pack)
}

// retire moves an instance to the past.
func (s *Supervisor) retire(i *instance) {
	kept := i.maker || i.leftAsleep()
	s.mu.Lock()
	delete(s.live, i.id)
	kept = kept || s.asleep[i.id] != nil
	s.mu.Unlock()
	s.packages.release(i.prog.pack)
	s.watch.drop(i)
	if !kept && s.remember(i) {
		s.tellEnd(i)
	}
}

// remember puts an instance that has ended among the past ones, once.
func (s *Supervisor) remember(i *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.remembered {
		return false
	}
	i.remembered = true
	s.past = append(s.past, i)
	if more := len(s.past) - maxPast; more > 0 {
		s.past = slices.Delete(s.past, 0, more)
	}
	return true
}

// tellEnd makes the end of a program known, and what is to be learnt of it.
func (s *Supervisor) tellEnd(i *instance) {
	exit, _ := i.result()
	s.totals.ended(exit.Cause)
	s.watch.judge(i, exit)
	s.events.emit(eventEnded, i.id, i.app(), "cause", string(exit.Cause), "exit", exit.String(), "status", itoa(exit.Status()))
}

// find gives an instance that lives or is remembered.
func (s *Supervisor) find(id string) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.live[mp.InstanceID(id)]; i != nil {
		return i, nil
	}
	if s.asleep[mp.InstanceID(id)] != nil {
		return nil, errAsleep(mp.InstanceID(id))
	}
	for _, i := range s.past {
		if i.id == mp.InstanceID(id) {
			return i, nil
		}
	}
	return nil, fmt.Errorf("no program %.40q runs or ended lately: %w", id, mp.ErrNotFound)
}

// list gives the live instances, oldest first, and with all set the remembered
// ones after them, latest first.
func (s *Supervisor) list(all bool) []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.DeleteFunc(s.liveOnes(), func(i *instance) bool { return i.maker })
	slices.SortFunc(out, func(a, b *instance) int { return a.born.Compare(b.born) })
	if all {
		for _, i := range slices.Backward(s.past) {
			out = append(out, i)
		}
	}
	return out
}

// liveOnes gives the live instances in no order. s.mu is held.
func (s *Supervisor) liveOnes() []*instance {
	out := make([]*instance, 0, len(s.live)+len(s.past))
	for _, i := range s.live {
		out = append(out, i)
	}
	return out
}

// current gives the settings now in force.
func (s *Supervisor) current() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// enter begins a call, unless the supervisor stops.
func (s *Supervisor) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return control.ErrStopping
	}
	s.busy++
	return nil
}

// leave ends a call.
func (s *Supervisor) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if s.draining && s.busy == 0 {
		close(s.idle)
	}
}

// drain stops everything: nothing new begins, calls under way get their grace,
// then every program is ended, and callers learn of it.
func (s *Supervisor) drain() {
	s.mu.Lock()
	s.draining = true
	if s.busy == 0 {
		close(s.idle)
	}
	running, calls, grace := len(s.liveOnes()), s.busy, s.settings.Grace
	s.mu.Unlock()
	s.events.emit(eventDraining, "", "", "programs", itoa(running), "calls", itoa(calls))
	select {
	case <-s.idle:
	case <-s.routed: // without a launcher nothing will answer
	case <-time.After(grace):
	}
	s.endAll()
	s.makers.stop()
	s.events.close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	s.server.Shutdown(ctx)
	s.packages.close()
	if s.cfg.Images != nil {
		s.cfg.Images.Close()
	}
	if s.cfg.Roots == nil {
		return
	}
	if err := s.cfg.Roots.Close(); err != nil {
		s.cfg.Log.Warn("the roots of packages stay until the next start", "error", err)
	}
}

// endAll ends every program and waits until nothing is left of any. Without a
// launcher there is nobody to ask, and the programs end by that.
func (s *Supervisor) endAll() {
	s.mu.Lock()
	all := s.liveOnes()
	s.mu.Unlock()
	if !within(s.routed, 0) {
		unloadAll(all)
		for _, i := range all {
			i.end(verdict{cause: mp.CauseKilled, detail: "the supervisor stopped"})
		}
	}
	deadline := time.Now().Add(endAllWait)
	for _, i := range all {
		if !within(i.done, time.Until(deadline)) {
			s.cfg.Log.Error("a worker could not be ended; the next launcher removes it", "id", i.id)
		}
	}
}

// Reload puts new settings in force for whatever begins from now on. It returns
// the configuration keys of the changed ones that wait for a restart: the
// launcher's places for workers are made when it starts.
func (s *Supervisor) Reload(next Settings) (restart []string, err error) {
	if err := next.Check(); err != nil {
		return nil, err
	}
	if next.MaxPrograms > s.cfg.MaxPrograms {
		next.MaxPrograms = s.cfg.MaxPrograms
		restart = append(restart, "max_workers")
	}
	s.mu.Lock()
	s.settings = next
	s.mu.Unlock()
	s.server.SetAccess(next.Access)
	s.packages.setMax(next.PackageBytes)
	if s.cfg.Images != nil {
		s.cfg.Images.SetReady(next.readyOptions())
	}
	if err := s.watch.configure(next); err != nil {
		return restart, err // cannot happen: the settings were checked
	}
	s.events.emit(eventReloaded, "", "")
	return restart, nil
}
