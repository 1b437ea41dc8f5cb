package isolate

import (
	"errors"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// limitLocks are the locks that a missing control group controller takes away.
var limitLocks = map[string]lock.Name{
	"memory":  lock.MemoryLimit,
	"pids":    lock.PidsLimit,
	"cpu":     lock.CPULimit,
	"cpuacct": lock.CPULimit,
}

// MissingController turns the lack of a control group controller into that of
// the lock which it would have been, and leaves other errors as they are.
func MissingController(err error) error {
	var missing *cgroup.MissingError
	if !errors.As(err, &missing) {
		return err
	}
	name, ok := limitLocks[missing.Controller]
	if !ok {
		name = lock.MemoryLimit // there are no control groups at all: the first lock of them
	}
	return lock.Missing(name, "%v", err)
}
