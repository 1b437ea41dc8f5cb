package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	images "github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor/roots"
	"github.com/mpsupervisor/mpsupervisor/isolate/probe"
)

// daemon is what serve holds while it runs.
type daemon struct {
	options serveOptions
	config  config.Config
	from    string // the configuration file, or ""
	user    privilege.User
	level   *slog.LevelVar
	log     *slog.Logger
	notify  notifier
}

// serve is one straight path: everything that needs root, then no more root,
// and only then the first byte from anybody else.
func (a *app) serve(cmd *cobra.Command, o serveOptions) error {
	d, err := newDaemon(a, cmd, o)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("cannot serve: the launcher needs root; use sudo, or start the system's unit: systemctl start mpsupervisor")
	}
	if err := d.makeDirectories(); err != nil {
		return err
	}
	access, err := d.access()
	if err != nil {
		return err
	}
	l, err := d.listen(access)
	if err != nil {
		return err
	}
	metrics, err := d.listenMetrics(access)
	if err != nil {
		return err
	}
	dir, err := roots.Take(d.config.RunDir, int(d.user.UID), int(d.user.GID))
	if err != nil {
		return err
	}
	launcher, err := startLauncher(d.config, d.log)
	if err != nil {
		return err
	}
	if err := privilege.Drop(d.user); err != nil {
		return err
	}
	d.log.Debug("gave up root", "user", d.user.String())
	kept, err := d.openImages()
	if err != nil {
		return errors.Join(err, launcher.close())
	}
	return d.run(cmd.Context(), opened{l, metrics, dir, launcher, kept, d.openCodes()}, access)
}

// opened is what root was needed for, and what is kept for later supervisors.
type opened struct {
	socket   *control.Listener
	metrics  net.Listener // nil: none are served
	roots    *roots.Dir
	launcher *launcherProcess
	images   *images.Store // nil: nothing is kept
	codes    supervisor.Codes
}

func newDaemon(a *app, cmd *cobra.Command, o serveOptions) (*daemon, error) {
	d := &daemon{options: o, level: new(slog.LevelVar)}
	var err error
	if d.config, d.from, err = config.Load(o.config); err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("socket") || os.Getenv(socketVariable) != "" {
		d.config.Socket = a.socket
	}
	if err := d.config.Check(); err != nil {
		return nil, fmt.Errorf("cannot serve: %w", err)
	}
	if o.inPlace {
		setName()
		d.config.Log = config.Log{Level: "warn", Format: "text"}
		d.config.Learn = o.learn
	}
	d.log = newLog(a.err, d.config.Log, d.level)
	var exists bool
	if d.user, exists, err = privilege.Lookup(d.config.User); err != nil {
		return nil, err
	}
	if d.user.UID == 0 {
		return nil, fmt.Errorf("cannot serve: user %q is root; configure another one as user", d.config.User)
	}
	if !exists && !o.inPlace {
		d.log.Warn("the system user does not exist: using a number of its own; make one with systemd-sysusers or useradd --system",
			"user", d.config.User, "uid", d.user.UID)
	}
	return d, nil
}

// makeDirectories makes run_dir and the socket's directory, which root owns.
func (d *daemon) makeDirectories() error {
	dirs := []string{d.config.RunDir}
	if !d.options.inPlace && !strings.HasPrefix(d.config.Socket, "@") {
		dirs = append(dirs, filepath.Dir(d.config.Socket))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the run directory: %w", err)
		}
	}
	d.makeCacheDir()
	return d.makeStateDir()
}

// listen makes the control socket, or takes over the one that run made.
func (d *daemon) listen(access control.Access) (*control.Listener, error) {
	if d.options.inPlace {
		return inheritedListener()
	}
	return control.Listen(d.config.Socket, groupOf(access))
}

// groupOf is the operators' group as control.Listen takes it.
func groupOf(access control.Access) int {
	if access.Group == "" {
		return -1
	}
	return int(access.GID)
}

// access says who may call. Without the operators' group, only root may.
func (d *daemon) access() (control.Access, error) {
	if d.options.inPlace {
		return control.Access{Owners: []uint32{d.options.owner}}, nil
	}
	gid, exists, err := privilege.LookupGroup(d.config.Group)
	if err != nil {
		return control.Access{}, err
	}
	if !exists {
		d.log.Warn("the operators' group does not exist: only root may use the control socket; make it with groupadd --system",
			"group", d.config.Group)
		return control.Access{}, nil
	}
	return control.Access{Group: d.config.Group, GID: gid}, nil
}

// run serves until a signal, the end of the launcher, or that of whoever
// started it in place.
func (d *daemon) run(ctx context.Context, o opened, access control.Access) error {
	s, err := supervisor.New(supervisor.Config{
		Launcher: o.launcher.client, LauncherPID: o.launcher.pid, CgroupLayout: probe.Layout(),
		Roots: o.roots, Images: o.images, Codes: o.codes, Learn: d.config.Learn,
		Version: mp.Version, ConfigFile: d.from, Log: d.log, Settings: settingsOf(d.config, access),
	})
	if err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	if d.options.inPlace {
		ctx = whileStarterLives(ctx)
	}
	stop := d.reloadOnHangup(s)
	defer stop()
	defer d.serveMetrics(o.metrics, s)()
	context.AfterFunc(ctx, d.stopping)
	go d.ready(ctx, o.launcher)
	err = s.Run(ctx, o.socket)
	return errors.Join(err, o.launcher.close())
}

// ready says that programs can be run, once the launcher answers. If it ends
// instead, the supervisor ends too, and says so.
func (d *daemon) ready(ctx context.Context, launcher *launcherProcess) {
	if launcher.answers(ctx) != nil {
		return
	}
	d.log.Info("serving", "socket", d.config.Socket, "version", mp.Version, "user", d.user.String(), "config", d.from)
	d.notify.send("READY=1", "STATUS=Serving on "+d.config.Socket)
}

func (d *daemon) stopping() {
	d.log.Info("stopping: ending every program", "grace", d.config.DrainTimeout.String())
	d.notify.send("STOPPING=1", "STATUS=Ending every program")
}

// settingsOf is the part of the configuration that the supervisor works by.
func settingsOf(c config.Config, access control.Access) supervisor.Settings {
	return supervisor.Settings{
		Access:       access,
		Default:      c.Limits.Default.Values(),
		Max:          c.Limits.Max.Values(),
		MaxPrograms:  c.MaxWorkers,
		PackageBytes: int64(c.Keep.Packages),
		ReadyImages:  c.Keep.ReadyImages,
		ReadyBytes:   int64(c.Keep.ReadyBytes),
		LogBytes:     int(c.Keep.LogBytes),
		LogLines:     c.Keep.LogLines,
		Grace:        c.DrainTimeout.Duration,
		Monitor:      c.Monitor.Values(),
		Quarantine:   c.Monitor.Quarantine.Values(),
	}
}
