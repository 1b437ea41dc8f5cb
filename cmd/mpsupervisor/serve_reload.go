package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor"
)

// reloadOnHangup reads the configuration again at each SIGHUP, until stop.
func (d *daemon) reloadOnHangup(s *supervisor.Supervisor) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for range hangup {
			d.reload(s)
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(hangup)
	}
}

// reload puts what can change in force, and says what cannot. A configuration
// that cannot be used changes nothing.
func (d *daemon) reload(s *supervisor.Supervisor) {
	d.notify.reloading()
	defer d.notify.send("READY=1")
	next, _, err := config.Load(d.options.config)
	if err != nil {
		d.log.Error("cannot reload: the old configuration stays in force", "error", err)
		d.notify.send("STATUS=Reload failed, the old configuration is in force: " + err.Error())
		return
	}
	fixed := needRestart(d.config, next)
	d.config = changed(d.config, next)
	access, err := d.access()
	if err == nil {
		var more []string
		more, err = s.Reload(settingsOf(d.config, access))
		fixed = append(fixed, more...)
	}
	if err != nil {
		d.log.Error("cannot reload", "error", err)
		return
	}
	setLevel(d.level, d.config.Log.Level)
	d.log.Info("configuration reloaded", "config", d.from)
	if len(fixed) > 0 {
		d.log.Warn("changed, but not in force before a restart", "keys", strings.Join(fixed, " "))
		d.notify.send("STATUS=Serving; needs a restart for " + strings.Join(fixed, " "))
		return
	}
	d.notify.send("STATUS=Serving")
}

// needRestart names the keys that differ and were used up at the start: most
// of them needed root.
func needRestart(old, next config.Config) (keys []string) {
	for _, k := range []struct {
		name    string
		differs bool
	}{
		{"socket", old.Socket != next.Socket},
		{"user", old.User != next.User},
		{"launcher", old.Launcher != next.Launcher},
		{"worker", old.Worker != next.Worker},
		{"image", old.Image != next.Image},
		{"run_dir", old.RunDir != next.RunDir},
		{"state_dir", old.StateDir != next.StateDir},
		{"cache_dir", old.CacheDir != next.CacheDir},
		{"cgroup_parent", old.CgroupParent != next.CgroupParent},
		{"uid_base", old.UIDBase != next.UIDBase},
		{"uid_range", old.UIDRange != next.UIDRange},
		{"learn", old.Learn != next.Learn},
		{"metrics.listen", old.Metrics != next.Metrics},
		{"log.format", old.Log.Format != next.Log.Format},
	} {
		if k.differs {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// changed is old with everything of next that can be put in force now.
func changed(old, next config.Config) config.Config {
	old.Group = next.Group
	old.MaxWorkers = next.MaxWorkers
	old.DrainTimeout = next.DrainTimeout
	old.Limits = next.Limits
	old.Keep = next.Keep
	old.Monitor = next.Monitor
	old.Log.Level = next.Log.Level
	return old
}
