package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor/roots"
)

// Launcher is what the supervisor asks of the privileged half. *launch.Client
// is one.
type Launcher interface {
	// Start makes a worker; the caller closes the files. The file that it
	// returns is the worker's pidfd.
	Start(ctx context.Context, s launch.Start) (launch.Started, *os.File, error)
	// Kill ends everything in the worker's cgroup; Exits tells when it is done.
	Kill(ctx context.Context, id mp.InstanceID) error
	// Stat looks at the worker from outside.
	Stat(ctx context.Context, id mp.InstanceID) (launch.Stat, error)
	// Limit, Freeze and Thaw change a worker that runs.
	Limit(ctx context.Context, id mp.InstanceID, limits mp.Limits) error
	Freeze(ctx context.Context, id mp.InstanceID) error
	Thaw(ctx context.Context, id mp.InstanceID) error
	// Sample tells what workers use, at most launch.MaxSamples of them; it leaves
	// out those that there are not.
	Sample(ctx context.Context, ids []mp.InstanceID) ([]launch.Sample, error)
	// Exits delivers one value for each worker that was started.
	Exits() <-chan launch.Exited
	// Notices delivers what the kernel tells of workers; what there is to tell
	// of one is there before its end is in Exits.
	Notices() <-chan launch.Notice
	// Done is closed when the launcher is gone; Err then says why.
	Done() <-chan struct{}
	Err() error
}

var _ Launcher = (*launch.Client)(nil)

// Roots keeps the root directories of native programs that are in packages.
// *roots.Dir is one.
type Roots interface {
	// Open gives the root directory of a package, which the caller closes.
	Open(p *bundle.Package) (*os.File, error)
	// Remove removes that of a package that nothing runs from any more.
	Remove(d mp.Digest) error
	// Close removes everything.
	Close() error
}

var _ Roots = (*roots.Dir)(nil)

// Config is what a Supervisor is made of.
type Config struct {
	Launcher     Launcher
	LauncherPID  int
	Roots        Roots        // closed when the supervisor stops; nil: packages with native programs are refused
	Images       *image.Store // closed when the supervisor stops; nil: nothing is hibernated, and no ready images are made
	Codes        Codes        // nil: compiled modules are kept in memory alone
	Learn        bool         // the launcher was started so that it records system calls
	CgroupLayout string       // v1, hybrid, v2; for people
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
	ReadyImages  int           // ready images that are kept; 0: none are made
	ReadyBytes   int64         // of all of them together
	LogBytes     int           // of console text kept for each program
	LogLines     int           // likewise
	Grace        time.Duration // that calls under way get when the supervisor stops
	Monitor      monitor.Config
	Quarantine   monitor.QuarantineConfig
}

// DefaultSettings are the settings of a supervisor that nobody configured.
func DefaultSettings() Settings {
	return Settings{
		Default:      mp.DefaultLimits(),
		Max:          mp.MaxLimits(),
		MaxPrograms:  256,
		PackageBytes: 256 << 20,
		ReadyImages:  64,
		ReadyBytes:   256 << 20,
		LogBytes:     256 << 10,
		LogLines:     2000,
		Grace:        5 * time.Second,
		Monitor:      monitor.DefaultConfig(),
		Quarantine:   monitor.DefaultQuarantine(),
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
	if err := s.Monitor.Check(); err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	if err := s.Quarantine.Check(); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	switch {
	case s.MaxPrograms < 1:
		return fmt.Errorf("max programs is %d; it must be positive", s.MaxPrograms)
	case s.PackageBytes < 1:
		return fmt.Errorf("package bytes is %d; it must be positive", s.PackageBytes)
	case s.ReadyImages < 0 || s.ReadyBytes < 0:
		return errors.New("ready images and ready bytes must not be negative")
	case s.LogBytes < 1 || s.LogLines < 1:
		return errors.New("log bytes and log lines must be positive")
	case s.Grace < 0:
		return fmt.Errorf("grace is %v; it must not be negative", s.Grace)
	}
	return nil
}

// readyOptions are the bounds of ready images as their store has them.
func (s Settings) readyOptions() image.Options {
	return image.Options{Ready: s.ReadyImages, ReadyBytes: s.ReadyBytes}
}

// allowed reports the first limit of l that is above the host's.
func allowed(l, most mp.Limits) error {
	if key, got, bound := l.Excess(most); key != "" {
		return fmt.Errorf("limit %s of %v is above this host's maximum of %v; ask for less, or raise limits.max.%s in the configuration", key, got, bound, key)
	}
	return nil
}
