package supervisor

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

const (
	makerWeight = 1           // of a maker's share of a busy processor
	makerTime   = time.Minute // for an evaluation that gets so little of it
	maxPending  = 32          // packages that wait for theirs
	maxVerdicts = 1024        // packages of which is remembered that they have none
)

// makers has ready images made, one at a time: a worker of its own, which serves
// nobody and has nothing but the package, evaluates it and gives its heap.
type makers struct {
	sup *Supervisor

	mu       sync.Mutex
	pending  []program
	busy     bool
	stopped  bool
	refused  map[readyKey]string // why there is none
	finished sync.WaitGroup
}

// readyKey is what a ready image is good for.
type readyKey struct {
	digest mp.Digest
	build  string
}

func newMakers(s *Supervisor) *makers {
	return &makers{sup: s, refused: map[readyKey]string{}}
}

// reason is why there is no ready image of a package; "" if that is not known.
func (m *makers) reason(d mp.Digest, build string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if why := m.refused[readyKey{d, build}]; why != "" {
		return "there is no ready image: " + why
	}
	return ""
}

// want has a ready image made of the package that has just been started, if
// there is none and nothing is known against it.
func (m *makers) want(i *instance) {
	s := m.sup
	i.mu.Lock()
	began, build := i.start.image, i.build
	i.mu.Unlock()
	if s.cfg.Images == nil || s.current().ReadyImages == 0 || i.prog.role != launch.RoleJS || i.prog.learn || began != beganPrelude {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped || m.refused[readyKey{i.prog.digest(), build}] != "" || m.waits(i.prog.digest()) || len(m.pending) >= maxPending {
		return
	}
	if _, err := s.packages.acquire(i.prog.digest()); err != nil {
		return
	}
	m.pending = append(m.pending, i.prog)
	if !m.busy {
		m.busy = true
		m.finished.Go(m.work)
	}
}

// stop has nothing more begun, and waits for what is under way.
func (m *makers) stop() {
	m.mu.Lock()
	m.stopped = true
	m.mu.Unlock()
	m.finished.Wait()
}

// waits reports whether a package's is being made, or will be. m.mu is held.
func (m *makers) waits(d mp.Digest) bool {
	for n := range m.pending {
		if m.pending[n].digest() == d {
			return true
		}
	}
	return false
}

// work makes what is wanted until nothing is. The first of pending is the one at
// work.
func (m *makers) work() {
	for {
		m.mu.Lock()
		if len(m.pending) == 0 {
			m.busy = false
			m.mu.Unlock()
			return
		}
		p := m.pending[0]
		m.mu.Unlock()
		m.attempt(p)
		m.mu.Lock()
		m.pending = m.pending[1:]
		m.mu.Unlock()
		m.sup.packages.release(p.pack)
	}
}

// attempt makes one image, and tells how that went.
func (m *makers) attempt(p program) {
	began := time.Now()
	i, bytes, err := m.make(p)
	refused := (*refusedImage)(nil)
	switch {
	case err == nil:
		m.sup.events.emit(eventImageMade, "", p.app, "digest", p.digestText(), "bytes", itoa(int(bytes)), "took", time.Since(began).Round(time.Millisecond).String())
	case errors.As(err, &refused):
		m.refuse(readyKey{p.digest(), i.workerBuild()}, refused.reason)
		m.sup.events.emit(eventImageRefused, "", p.app, "digest", p.digestText(), "reason", refused.reason)
	default: // the next start of the package asks again
		m.sup.cfg.Log.Debug("cannot make a ready image", "digest", p.digestText(), "error", err)
	}
}

func (m *makers) refuse(k readyKey, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.refused) >= maxVerdicts {
		clear(m.refused) // they are found out again
	}
	m.refused[k] = reason
}

// make has a worker make the image, and keeps it.
func (m *makers) make(p program) (i *instance, bytes int64, err error) {
	s := m.sup
	settings := s.current()
	limits := p.limits.Over(settings.Default)
	limits.CPUWeight, limits.CallTimeout = makerWeight, max(limits.CallTimeout, makerTime)
	limits.MemorySoft = min(limits.MemorySoft, limits.Memory)
	i = newInstance(s, p, limits, settings)
	i.maker = true
	if _, err := s.packages.acquire(p.digest()); err != nil { // the instance's own
		return i, 0, err
	}
	if _, err := s.admit(i); err != nil {
		s.packages.release(p.pack)
		return i, 0, err
	}
	ctx := context.Background()
	conn, err := s.seal(ctx, i, attachments{})
	if err != nil {
		return i, 0, s.undo(i, err)
	}
	f, err := i.evaluate(ctx, conn)
	i.end(verdict{cause: mp.CauseKilled, detail: "it was there to make a ready image"})
	within(i.done, s.timing.undo)
	if err != nil {
		return i, 0, err
	}
	bytes = sizeOf(f)
	s.keepReady(i, f)
	return i, bytes, nil
}

// evaluate has a maker evaluate the package and give its heap.
func (i *instance) evaluate(ctx context.Context, conn *ipc.Conn) (*os.File, error) {
	if err := i.boot(ctx, conn, attachments{}); err != nil {
		guest := (*mp.GuestError)(nil)
		if errors.As(err, &guest) {
			return nil, &refusedImage{"its module threw " + firstLine(guest.Error())}
		}
		return nil, err
	}
	if within(i.dead, 0) {
		return nil, &refusedImage{"it ended while its module was evaluated"}
	}
	f, err := i.suspend(ctx, conn, mp.ImageReady)
	if err == nil && i.asks.Load() > 0 {
		f.Close()
		return nil, &refusedImage{"it asked its host for something"}
	}
	return f, err
}

func sizeOf(f *os.File) int64 {
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	return st.Size()
}

// keepReady hands an image to the store. One that is in memory alone is good
// until the supervisor ends.
func (s *Supervisor) keepReady(i *instance, f *os.File) {
	if err := s.cfg.Images.KeepReady(i.app(), i.prog.digest(), i.workerBuild(), f); err != nil {
		s.cfg.Log.Warn("a ready image is in memory alone", "app_id", i.app(), "error", err)
	}
}
