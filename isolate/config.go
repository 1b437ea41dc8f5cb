package isolate

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
)

// Config says where and as whom workers run. It is a value: Open keeps a copy.
type Config struct {
	StateDir string         // absolute; made and removed here; root's alone
	Groups   *cgroup.Parent // where the workers' control groups are made
	Binary   string         // absolute path of the one program that can be run
	UIDBase  uint32         // the first user id of slot 0 on the host; group ids are the same
	UIDCount uint32         // how many user ids each slot has
	Slots    uint32         // how many workers can run at once
}

// minUIDs is what a worker's range must hold: root of its namespace, for the
// start, and the user that it runs as.
const minUIDs = workerUID + 1

// check reports the first field that cannot be used.
func (c Config) check() error {
	last := uint64(c.UIDBase) + uint64(c.UIDCount)*uint64(c.Slots)
	switch {
	case !filepath.IsAbs(c.StateDir) || filepath.Clean(c.StateDir) != c.StateDir:
		return fmt.Errorf("state directory %q is not a clean absolute path", c.StateDir)
	case !filepath.IsAbs(c.Binary):
		return fmt.Errorf("worker binary %q is not an absolute path", c.Binary)
	case c.Groups == nil:
		return fmt.Errorf("no place for control groups")
	case c.UIDBase < 1000:
		return fmt.Errorf("user ids from %d would be those of the system", c.UIDBase)
	case c.UIDCount < minUIDs || c.Slots < 1:
		return fmt.Errorf("%d slots of %d user ids are too few", c.Slots, c.UIDCount)
	case last >= math.MaxUint32: // the last one means "no user" to the kernel
		return fmt.Errorf("user ids from %d do not fit %d slots of %d", c.UIDBase, c.Slots, c.UIDCount)
	}
	return nil
}

// uid is the first user id of a slot on the host.
func (c Config) uid(slot uint32) uint32 { return c.UIDBase + slot*c.UIDCount }
