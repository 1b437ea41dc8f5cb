// Package supervisor is the composition root of the daemon: it keeps packages,
// starts workers through the launcher, talks to each over its channel, and
// answers the control API.
//
// It holds no privilege. A worker is hostile from its first byte: whatever it
// sends is decoded under limits, and a message that breaks a rule ends that
// worker and nobody else. What a worker says about its own end is believed only
// as far as the kernel's account of it agrees.
//
// Text that comes from a worker is cut to its limits and valid UTF-8, and is
// otherwise passed on as it is: package control says who escapes it.
package supervisor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const (
	maxPast      = 200              // ended programs that are remembered
	endAllWait   = 15 * time.Second // for every worker to be gone when the supervisor stops
	shutdownWait = 2 * time.Second  // for answers under way to reach their callers
)

// Supervisor is a daemon's state. It is made by New and lives once, in Run.
type Supervisor struct {
	cfg      Config
	timing   timing
	server   *control.Server
	events   *events
	packages *store
	watch    *watcher
	makers   *makers
	coder    *coder
	totals   totals
	born     time.Time
	routed   chan struct{} // closed when the launcher will tell nothing more

	mu       sync.Mutex
	settings Settings
	live     map[mp.InstanceID]*instance
	asleep   map[mp.InstanceID]*sleeper
	past     []*instance // the latest ended ones, oldest first
	draining bool
	busy     int           // calls under way
	idle     chan struct{} // closed when draining and busy is 0
}

// New makes a supervisor around a launcher that runs.
func New(cfg Config) (*Supervisor, error) {
	if err := cfg.Settings.Check(); err != nil {
		return nil, err
	}
	s := &Supervisor{
		cfg:      cfg,
		timing:   defaultTiming,
		events:   newEvents(cfg.Log),
		totals:   newTotals(),
		born:     time.Now(),
		routed:   make(chan struct{}),
		settings: cfg.Settings,
		live:     map[mp.InstanceID]*instance{},
		asleep:   map[mp.InstanceID]*sleeper{},
		idle:     make(chan struct{}),
	}
	s.packages = newStore(cfg.PackageBytes, s.unpacked)
	s.makers = newMakers(s)
	s.coder = newCoder(s)
	s.wakeSleepers()
	var err error
	if s.watch, err = newWatcher(s, cfg.Settings); err != nil {
		return nil, err
	}
	s.server = control.NewServer(control.ServerConfig{
		Handler: &service{s: s},
		Access:  cfg.Access,
		Refused: s.refused,
		Log:     cfg.Log,
	})
	return s, nil
}

// Run serves the control API on l until ctx ends, then drains: nothing new is
// started, calls under way get their grace, every program is ended and waited
// for. Its error is not nil if the launcher went away.
func (s *Supervisor) Run(ctx context.Context, l *control.Listener) error {
	go s.route()
	watching, rest := context.WithCancel(context.Background())
	defer rest()
	go s.watch.run(watching)
	serving := make(chan error, 1)
	go func() { serving <- s.server.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-serving:
	case <-s.cfg.Launcher.Done():
		err = fmt.Errorf("the launcher is gone: %w", s.cfg.Launcher.Err())
		s.events.emit(eventLauncherGone, "", "", "reason", err.Error())
		<-s.routed // every program ends by that, and not by our stopping
	}
	s.drain()
	return err
}

// unpacked removes what was extracted of a package that is not kept any more.
func (s *Supervisor) unpacked(d mp.Digest) {
	s.coder.forget(d)
	if s.cfg.Roots == nil {
		return
	}
	if err := s.cfg.Roots.Remove(d); err != nil {
		s.cfg.Log.Warn("a package's root directory stays until the next start", "digest", d, "error", err)
	}
}

// route hands what the launcher tells to the instances it is about.
func (s *Supervisor) route() {
	defer close(s.routed)
	exits, notices, gone := s.cfg.Launcher.Exits(), s.cfg.Launcher.Notices(), s.cfg.Launcher.Done()
	for {
		select {
		case e, ok := <-exits:
			if !ok {
				<-gone
				return
			}
			s.deliver(e)
		case n, ok := <-notices:
			if !ok {
				notices = nil
				continue
			}
			s.notice(n)
		case <-gone:
			s.deliverRest(exits)
			return
		}
	}
}

// deliverRest hands on what the launcher told before it went.
func (s *Supervisor) deliverRest(exits <-chan launch.Exited) {
	for {
		select {
		case e, ok := <-exits:
			if !ok {
				return
			}
			s.deliver(e)
		default:
			return
		}
	}
}

// noticeAll takes what the launcher told of any worker so far: whatever there is
// of one whose end has come is among it.
func (s *Supervisor) noticeAll() {
	for {
		select {
		case n, ok := <-s.cfg.Launcher.Notices():
			if !ok {
				return
			}
			s.notice(n)
		default:
			return
		}
	}
}

// deliver tells an instance how its worker ended.
func (s *Supervisor) deliver(e launch.Exited) {
	s.noticeAll()
	s.mu.Lock()
	i := s.live[e.ID]
	s.mu.Unlock()
	if i == nil {
		s.cfg.Log.Debug("the end of a worker whose start was given up", "id", e.ID)
		return
	}
	select {
	case i.exited <- e:
	default: // cannot happen: one end a worker
	}
}
