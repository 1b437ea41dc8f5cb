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

// Limits bound what a group may use. A zero field asks for nothing: no limit,
// or the kernel's own weight. All of them can be changed while the group runs.
type Limits struct {
	Memory     int64   // bytes; swap counts, so that none can be gained by swapping
	MemorySoft int64   // bytes above which the kernel takes memory back from this group first
	Pids       int64   // tasks: processes and threads
	CPU        float64 // processors: 0.5 is half of one
	CPUWeight  int64   // share of a busy processor, 1 to 10000, against the kernel's default of 100
	IORate     int64   // bytes a second read from each disk of the host, and as many written to it
	IOWeight   int64   // share of a busy disk, 1 to 10000, against the kernel's default of 100
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

// Sample is what a group has used at one moment. All but Memory, Pids and
// Frozen only grow.
type Sample struct {
	CPU         time.Duration // of all its tasks, those that ended included
	Memory      uint64        // bytes at present
	Peak        uint64        // the most bytes it ever had; 0 before Linux 5.19 on version 2
	Pids        uint64        // tasks at present
	Periods     uint64        // of the processor limit
	Throttled   uint64        // those in which it was held back
	Faults      uint64        // page faults
	MajorFaults uint64        // those that read from a disk
	Reclaimed   uint64        // bytes that the kernel took back; 0 on version 1, which does not tell
	Stalled     time.Duration // in which some task waited for memory; 0 where the kernel does not tell (no PSI, or version 1 alone)
	OOMKills    uint64        // tasks that the memory limit killed
	Frozen      bool          // every task has stopped
}

// period is the time over which the processor limit is counted. Each time that
// a group is held back and let go again costs its neighbours: beside a program
// that runs at its limit, the 99th percentile of a neighbour's calls rises 3.5
// times with the kernel's usual 100 ms, and 1.8 times with this.
const period = 300 * time.Millisecond

// quota is the processor time a group gets in each period, in microseconds.
func (l Limits) quota() int64 {
	return max(int64(l.CPU*float64(period.Microseconds())), 1000) // the kernel refuses less than 1 ms
}

// MissingError says that the host lacks what limits need.
type MissingError struct {
	Controller string // "memory", "pids", "cpu", "cpuacct", "io" or "blkio", or one of its files; "" if there are none at all
	Where      string // the directory or mount that was looked at
}

func (e *MissingError) Error() string {
	if e.Controller == "" {
		return "no control groups: " + e.Where
	}
	return fmt.Sprintf("control group controller %q is not available in %s", e.Controller, e.Where)
}
