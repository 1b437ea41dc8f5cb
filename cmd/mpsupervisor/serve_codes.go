package main

import (
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor/codes"
)

// cacheBytes is what compiled modules may take of the disk.
const cacheBytes = 1 << 30

// makeCacheDir makes the directory for compiled modules, or gives it to the
// supervisor's user. A host on which it cannot be made is served without.
func (d *daemon) makeCacheDir() {
	if d.config.CacheDir == "" {
		return
	}
	if err := makeStateDir(d.config.CacheDir, int(d.user.UID), int(d.user.GID)); err != nil {
		d.log.Warn("compiled modules are not kept", "cache_dir", d.config.CacheDir, "error", err)
	}
}

// openCodes opens the directory, if it is there. Nil is none.
func (d *daemon) openCodes() supervisor.Codes {
	if d.config.CacheDir == "" {
		return nil
	}
	dir, err := codes.Open(d.config.CacheDir, cacheBytes)
	if err != nil {
		d.log.Warn("compiled modules are not kept", "cache_dir", d.config.CacheDir, "error", err)
		return nil
	}
	return dir
}
