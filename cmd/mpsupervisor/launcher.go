package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// launcherPatience is how long a launcher may take to end its workers and
// itself once the supervisor has hung up.
const launcherPatience = 20 * time.Second

// launcherProcess is the privileged half as its starter sees it.
type launcherProcess struct {
	client *launch.Client
	pid    int
	ended  chan struct{} // closed when the process has ended
}

// startLauncher starts the launcher. It needs root.
func startLauncher(cfg config.Config, log *slog.Logger) (*launcherProcess, error) {
	o, err := launcherOptions(cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot start the launcher: %w", err)
	}
	l := &launcherProcess{ended: make(chan struct{})}
	if l.client, l.pid, err = launch.Spawn(o, func() { close(l.ended) }); err != nil {
		return nil, err
	}
	log.Debug("launcher started", "path", o.Launcher, "pid", l.pid)
	return l, nil
}

// launcherOptions finds the programs. The image is used if it is there.
func launcherOptions(cfg config.Config) (launch.Options, error) {
	o := launch.Options{RunDir: cfg.RunDir, CgroupParent: cfg.CgroupParent, UIDBase: cfg.UIDBase, UIDRange: cfg.UIDRange, LogLevel: cfg.Log.Level, Learn: cfg.Learn}
	var err error
	if o.Launcher, err = findFile(cfg.Launcher, "mplauncher"); err != nil {
		return o, err
	}
	if o.Worker, err = findFile(cfg.Worker, "mpworker"); err != nil {
		return o, err
	}
	o.Image, err = findFile(cfg.Image, "mpworker.img")
	if errors.Is(err, os.ErrNotExist) && cfg.Image == "" {
		o.Image, err = "", nil
	}
	return o, err
}

// answers returns when the launcher answers requests: when it has swept what
// others left behind and made what all workers share.
func (l *launcherProcess) answers(ctx context.Context) error {
	const nobody = "nobody" // no instance is called so
	_, err := l.client.Stat(ctx, nobody)
	if errors.Is(err, mp.ErrNotFound) {
		return nil
	}
	return err
}

// close hangs up and waits until the launcher has ended, and all workers with
// it, so that nothing is left when this process has ended.
func (l *launcherProcess) close() error {
	l.client.Close() // fails if the launcher has closed its end first
	select {
	case <-l.ended:
		return nil
	case <-time.After(launcherPatience):
		return fmt.Errorf("the launcher (pid %d) did not end within %v", l.pid, launcherPatience)
	}
}
