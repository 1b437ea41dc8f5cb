// Package cgroup puts a worker into a control group of its own, with limits,
// and takes that group away again. It hides which layout the host has: the
// version 1 hierarchies, version 2, or both at once ("hybrid"), in which the
// version 1 hierarchies hold the limits and the unified one, without
// controllers, is used to freeze and to kill.
//
// A Parent is a place in every hierarchy that matters; a Group is one worker's
// directory in each of them, all of the same name. Nothing outside the groups
// that a Parent makes is ever written to, with one exception that version 2
// forces: see Own.
//
// Do not assume that a Group still exists because a value of it does: groups
// are directories, and whoever holds the value need not be who removes them.
//
// The files are described in cgroups(7) and in the kernel's
// Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
package cgroup

import (
	"fmt"
	"time"
)

// Limits bound what a group may use. A zero field is not limited.
type Limits struct {
	Memory int64   // bytes; swap counts, so that none can be gained by swapping
	Pids   int64   // tasks: processes and threads
	CPU    float64 // processors: 0.5 is half of one
}

// Usage is what a group has used, as the kernel counted it.
type Usage struct {
	CPU       time.Duration // of all its tasks, those that ended included
	Memory    uint64        // bytes at present
	Peak      uint64        // the most bytes it ever had; 0 if the kernel does not tell
	Pids      uint64        // tasks at present
	Throttled uint64        // periods in which the processor limit held it back
	OOMKills  uint64        // tasks that the memory limit killed
}

// period is the time over which the processor limit is counted. 100 ms is the
// kernel's default; shorter ones cost more and smooth little.
const period = 100 * time.Millisecond

// quota is the processor time a group gets in each period, in microseconds.
func (l Limits) quota() int64 {
	return max(int64(l.CPU*float64(period.Microseconds())), 1000) // the kernel refuses less than 1 ms
}

// MissingError says that the host lacks what limits need.
type MissingError struct {
	Controller string // "memory", "pids", "cpu" or "cpuacct"; "" if there are none at all
	Where      string // the directory or mount that was looked at
}

func (e *MissingError) Error() string {
	if e.Controller == "" {
		return "no control groups: " + e.Where
	}
	return fmt.Sprintf("control group controller %q is not available in %s", e.Controller, e.Where)
}
