// Package supervisor is the composition root of the daemon: it keeps packages,
// starts workers through the launcher, talks to each over its channel, and
// answers the control API.
//
// It holds no privilege. A worker is hostile from its first byte: whatever it
// sends is decoded under limits, and a message that breaks a rule ends that
// worker and nobody else. What a worker says about its own end is believed only
// as far as the kernel's account of it agrees.
package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// Supervisor is a daemon's state. It is made by New and lives once, in Run.
type Supervisor struct {
	controlpbconnect.UnimplementedControlHandler
	cfg     Config
	server  *control.Server
	started time.Time
}

// New makes a supervisor around a launcher that runs.
func New(cfg Config) (*Supervisor, error) {
	if err := cfg.Settings.Check(); err != nil {
		return nil, err
	}
	s := &Supervisor{cfg: cfg, started: time.Now()}
	s.server = control.NewServer(control.ServerConfig{Handler: s, Access: cfg.Access, Refused: s.refused, Log: cfg.Log})
	return s, nil
}

// Run serves the control API on l until ctx ends, then drains: nothing new is
// started, calls under way get their grace, every program is ended and waited
// for. Its error is not nil if the launcher went away.
func (s *Supervisor) Run(ctx context.Context, l *control.Listener) error {
	return errors.New("not served")
}

// Reload puts new settings in force for everything that begins from now on, and
// returns the names of the changed ones that need a restart.
func (s *Supervisor) Reload(next Settings) (restart []string, err error) {
	return nil, next.Check()
}

func (s *Supervisor) refused(p control.Peer, procedure string, why error) {}
