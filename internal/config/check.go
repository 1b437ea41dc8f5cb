package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Bounds of the numbers.
const (
	minUID          = 100_000   // below are the system's and people's users
	maxUID          = 1<<31 - 1 // some tools take a uid for a signed number
	minUIDRange     = 2         // a worker's root, and its user
	maxUIDRange     = 65536     // all that a user namespace usually has
	maxWorkers      = Slots     // the slots of one launcher
	maxDrainTimeout = 10 * time.Minute
	minKeep         = 4 << 10
	maxKeep         = 64 << 30
	maxReadyImages  = 4096
	maxSocketPath   = 107 // bytes in sockaddr_un (unix(7)), less the NUL
)

var (
	accountName = form(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$`)
	cgroupName  = form(`^/?[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}(/[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}){0,7}$`)
	levels      = []string{"debug", "info", "warn", "error"}
	formats     = []string{"text", "json"}
)

// Check reports the first value that cannot be right, by its key.
func (c Config) Check() error {
	for _, key := range []struct {
		name string
		err  error
	}{
		{"socket", checkSocket(c.Socket)},
		{"user", matches(accountName(), c.User)},
		{"group", matches(accountName(), c.Group)},
		{"launcher", absoluteOrEmpty(c.Launcher)},
		{"worker", absoluteOrEmpty(c.Worker)},
		{"image", absoluteOrEmpty(c.Image)},
		{"run_dir", absolute(c.RunDir)},
		{"state_dir", absoluteOrEmpty(c.StateDir)},
		{"cache_dir", absoluteOrEmpty(c.CacheDir)},
		{"cgroup_parent", matches(cgroupName(), c.CgroupParent)},
		{"uid_base", between(int64(c.UIDBase), minUID, maxUID)},
		{"uid_range", between(int64(c.UIDRange), minUIDRange, maxUIDRange)},
		{"max_workers", between(int64(c.MaxWorkers), 1, maxWorkers)},
		{"uid_base", c.checkUIDs()},
		{"drain_timeout", between(int64(c.DrainTimeout.Duration), 0, int64(maxDrainTimeout))},
		{"limits.default", c.Limits.Default.Values().Check()},
		{"limits.max", c.Limits.Max.Values().Check()},
		{"limits.default", c.Limits.checkOrder()},
		{"keep.packages", between(int64(c.Keep.Packages), minKeep, maxKeep)},
		{"keep.log_bytes", between(int64(c.Keep.LogBytes), minKeep, maxKeep)},
		{"keep.log_lines", between(int64(c.Keep.LogLines), 1, maxKeep)},
		{"keep.ready_images", between(int64(c.Keep.ReadyImages), 0, maxReadyImages)},
		{"keep.ready_bytes", between(int64(c.Keep.ReadyBytes), 0, maxKeep)},
		{"monitor", c.Monitor.values().Check()},
		{"monitor.quarantine", c.Monitor.Quarantine.Values().Check()},
		{"metrics.listen", c.Metrics.check()},
		{"log.level", oneOf(levels, c.Log.Level)},
		{"log.format", oneOf(formats, c.Log.Format)},
	} {
		if key.err != nil {
			return fmt.Errorf("%s: %w", key.name, key.err)
		}
	}
	return nil
}

func checkSocket(s string) error {
	if len(s) > maxSocketPath {
		return fmt.Errorf("is longer than %d bytes", maxSocketPath)
	}
	if strings.HasPrefix(s, "@") && len(s) > 1 {
		return nil
	}
	return absolute(s)
}

func absolute(path string) error {
	switch {
	case path == "":
		return errors.New("is empty")
	case !filepath.IsAbs(path) || filepath.Clean(path) != path:
		return fmt.Errorf("%q is not a clean absolute path", path)
	}
	return nil
}

func absoluteOrEmpty(path string) error {
	if path == "" {
		return nil
	}
	return absolute(path)
}

// form compiles a regular expression when it is first needed: most commands
// need none.
func form(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func matches(form *regexp.Regexp, s string) error {
	if !form.MatchString(s) {
		return fmt.Errorf("%.80q does not have the form %s", s, form)
	}
	return nil
}

func between(n, low, high int64) error {
	if n < low || n > high {
		return fmt.Errorf("%d is not between %d and %d", n, low, high)
	}
	return nil
}

func oneOf(allowed []string, s string) error {
	if !slices.Contains(allowed, s) {
		return fmt.Errorf("%.80q is none of %s", s, strings.Join(allowed, ", "))
	}
	return nil
}

// Slots is how many ranges of user ids a launcher has, and Launchers how many
// of those can live on a host at once, each with ranges of its own.
const (
	Slots     = 1024
	Launchers = 32
)

// UIDs is how many user ids the workers of all launchers together may have:
// fewer than there are launchers for, where the numbers end first.
func (c Config) UIDs() uint32 {
	all := int64(c.UIDRange) * Slots * Launchers
	return uint32(min(all, maxUID-int64(c.UIDBase)))
}

// checkUIDs makes sure that at least one launcher finds numbers.
func (c Config) checkUIDs() error {
	last := int64(c.UIDBase) + int64(c.UIDRange)*Slots
	if last > maxUID {
		return fmt.Errorf("%d workers of %d uids from %d on need numbers up to %d, above %d",
			Slots, c.UIDRange, c.UIDBase, last, maxUID)
	}
	return nil
}

// checkOrder reports the first default that is above its maximum.
func (l Limits) checkOrder() error {
	if key, _, _ := l.Default.Values().Excess(l.Max.Values()); key != "" {
		return fmt.Errorf("%s is above limits.max.%s", key, key)
	}
	return nil
}

// Above reports the first limit in l that is above the configured maximum.
func (l Limits) Above(v mp.Limits) error {
	return Limits{Default: fromLimits(v), Max: l.Max}.checkOrder()
}
