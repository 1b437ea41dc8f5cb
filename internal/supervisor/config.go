package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Launcher is what the supervisor asks of the privileged half. *launch.Client
// is one.
type Launcher interface {
	// Start makes a worker and gives it its ends of channel, birth pipe and
	// standard error; the caller closes them. The file is the worker's pidfd.
	Start(ctx context.Context, id mp.InstanceID, role launch.Role, limits mp.Limits, channel, birth, stderr *os.File) (launch.Started, *os.File, error)
	// Kill ends everything in the worker's cgroup; Exits tells when it is done.
	Kill(ctx context.Context, id mp.InstanceID) error
	// Stat looks at the worker from outside.
	Stat(ctx context.Context, id mp.InstanceID) (launch.Stat, error)
	// Exits delivers one value for each worker that was started.
	Exits() <-chan launch.Exited
	// Done is closed when the launcher is gone; Err then says why.
	Done() <-chan struct{}
	Err() error
}

var _ Launcher = (*launch.Client)(nil)

// Config is what a Supervisor is made of.
type Config struct {
	Launcher     Launcher
	LauncherPID  int
	CgroupLayout string // v1, hybrid, v2; for people
	Version      string
	ConfigFile   string // for people; "" when run in place
	Log          *slog.Logger
	Settings
}

// Settings are the part of Config that Reload can change.
type Settings struct {
	Access       control.Access
	Default      mp.Limits     // for programs whose manifest does not say
	Max          mp.Limits     // nobody gets more
	MaxPrograms  int           // running at once
	PackageBytes int64         // of all kept packages together; those in use are never dropped
	LogBytes     int           // of console text kept for each program
	LogLines     int           // likewise
	Grace        time.Duration // that calls under way get when the supervisor stops
}

// DefaultSettings are the settings of a supervisor that nobody configured.
func DefaultSettings() Settings {
	return Settings{
		Default: mp.DefaultLimits(),
		Max: mp.Limits{
			Memory:      1 << 30,
			Pids:        256,
			CPU:         4,
			CallTimeout: 5 * time.Minute,
			LogRate:     2000,
		},
		MaxPrograms:  256,
		PackageBytes: 256 << 20,
		LogBytes:     256 << 10,
		LogLines:     2000,
		Grace:        5 * time.Second,
	}
}

// Check reports what is wrong with the settings.
func (s Settings) Check() error {
	if err := s.Default.Check(); err != nil {
		return fmt.Errorf("default limits: %w", err)
	}
	if err := s.Max.Check(); err != nil {
		return fmt.Errorf("maximum limits: %w", err)
	}
	if err := allowed(s.Default, s.Max); err != nil {
		return fmt.Errorf("default limits: %w", err)
	}
	switch {
	case s.MaxPrograms < 1:
		return fmt.Errorf("max programs is %d; it must be positive", s.MaxPrograms)
	case s.PackageBytes < 1:
		return fmt.Errorf("package bytes is %d; it must be positive", s.PackageBytes)
	case s.LogBytes < 1 || s.LogLines < 1:
		return errors.New("log bytes and log lines must be positive")
	case s.Grace < 0:
		return fmt.Errorf("grace is %v; it must not be negative", s.Grace)
	}
	return nil
}

// allowed reports the first limit of l that is above the host's.
func allowed(l, most mp.Limits) error {
	const say = "%s %v is above this host's maximum of %v; ask for less, or raise the maximum in the configuration"
	switch {
	case l.Memory > most.Memory:
		return fmt.Errorf(say, "memory limit in bytes", l.Memory, most.Memory)
	case l.Pids > most.Pids:
		return fmt.Errorf(say, "task limit", l.Pids, most.Pids)
	case l.CPU > most.CPU:
		return fmt.Errorf(say, "processor limit", l.CPU, most.CPU)
	case l.CallTimeout > most.CallTimeout:
		return fmt.Errorf(say, "call timeout", l.CallTimeout, most.CallTimeout)
	case l.LogRate > most.LogRate:
		return fmt.Errorf(say, "log rate in lines a second", l.LogRate, most.LogRate)
	}
	return nil
}
