// Package verify reads from the kernel whether a worker's locks hold.
//
// It believes nothing that was asked for and nothing that the worker says: it
// looks at /proc/PID (proc(5)) and at the control groups, as root, from
// outside. It is used before a worker is given a stranger's program, and by
// inspect; it takes a fraction of a millisecond. Of a native program every
// process in the group is looked at, so that the many take longer.
//
// Some locks have no trace outside of the process. For those there is an
// argument instead, written as what was found, and it can fail: the worker's
// system call filter is the last lock that it sets, after it has proven the
// others, so where the filter is not in force they are not taken to hold.
package verify

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// Subject is a worker and what it must have.
type Subject struct {
	Pid       int
	StartTime uint64        // field 22 of /proc/PID/stat: or the pid may mean another process by now
	Program   string        // what it executes, as it sees the path
	UID       uint32        // its user and group id on the host
	UIDBase   uint32        // where its range of user ids begins; root of its namespace
	UIDCount  uint32        // how long that range is
	Group     *cgroup.Group // where it must be
	Limits    cgroup.Limits // what that group must allow
	Native    *Native       // what a native program has besides; nil if it is none
	Code      *Code         // what a worker has that loads machine code; nil if it does not
	Learn     bool          // its filter was to record all calls and to refuse none
}

// Native is what is different about process 1 of a native program. Its children
// are looked at, too.
type Native struct {
	Binary *os.File // what process 1 executes, instead of Subject.Program
	Files  int64    // how many descriptors each process may have
}

// Code is what is different about a worker that loads machine code after it has
// been sealed. It sets MDWE and installs the last of its filters when the code is
// there, and executes nothing of it before.
type Code struct {
	Filters int // how many it has of its own in the end
}

// Lock is one lock as it was found.
type Lock struct {
	Name  lock.Name
	Want  string
	Found string
	OK    bool
	Later bool // it is not on yet, and OK because nothing runs yet that it is for
}

// check establishes one lock.
type check struct {
	name lock.Name
	look look
}

// checks are in the order of lock.All.
var checks = []check{
	{lock.UserNamespace, namespace("user")},
	{lock.PidNamespace, namespace("pid")},
	{lock.MountNamespace, namespace("mnt")},
	{lock.NetworkNamespace, network},
	{lock.IPCNamespace, namespace("ipc")},
	{lock.UTSNamespace, namespace("uts")},
	{lock.CgroupNamespace, namespace("cgroup")},
	{lock.UIDRange, everyone(users, userOf)},
	{lock.Capabilities, everyone(capabilities, capabilitiesOf)},
	{lock.Securebits, behindFilter("noroot, no_setuid_fixup, no_cap_ambient_raise, locked")},
	{lock.Keyring, keyring},
	{lock.ReadOnlyRoot, root},
	{lock.MemoryLimit, memory},
	{lock.PidsLimit, pids},
	{lock.CPULimit, processors},
	{lock.Descriptors, descriptors},
	{lock.Dumpable, dumpable},
	{lock.Rlimits, rlimits},
	{lock.NoNewPrivs, everyone(noNewPrivs, noNewPrivsOf)},
	{lock.Landlock, landlocked},
	{lock.MDWE, onceLoaded(unlessAbsent(lock.MDWE, behindFilter("refuse exec gain")))},
	{lock.Seccomp, filter},
}

// ErrGone says that the process to look at has ended.
var ErrGone = errors.New("the process has ended")

// Verify looks at every lock of a worker. An error means that it could not
// look, not that a lock is missing.
func Verify(s Subject) ([]Lock, error) {
	v := &view{Subject: s, dir: "/proc/" + strconv.Itoa(s.Pid) + "/", inKernel: lock.InKernel}
	if err := v.read(); err != nil {
		return nil, fmt.Errorf("cannot verify the locks of process %d: %w", s.Pid, err)
	}
	locks := make([]Lock, len(checks))
	for i, c := range checks {
		locks[i].Name = c.name
		locks[i].Want, locks[i].Found, locks[i].OK = c.look(v)
		locks[i].Later = c.name == lock.MDWE && locks[i].OK && v.loading()
	}
	// Everything was read of one process only if it is still there.
	if err := v.same(); err != nil {
		return nil, fmt.Errorf("cannot verify the locks of process %d: %w", s.Pid, err)
	}
	return locks, nil
}

// view is what is read once and looked at by several checks.
type view struct {
	Subject
	dir    string
	status map[string]string   // of the process
	tasks  []map[string]string // the same of each thread
	kin    []kin               // the other processes of a native program

	inKernel func(lock.Name) bool // lock.InKernel

	limits    cgroup.Limits // as the kernel has them
	unlimited string        // why they do not bind the worker, if so
}

func (v *view) read() (err error) {
	if err := v.same(); err != nil {
		return err
	}
	if v.status, err = readStatus(v.dir + "status"); err != nil {
		return err
	}
	v.readLimits()
	if err := v.readTasks(); err != nil {
		return err
	}
	return v.readKin()
}

// same reports whether the pid still means the process.
func (v *view) same() error {
	b, err := os.ReadFile(v.dir + "stat")
	if err != nil {
		return ErrGone
	}
	start, state, err := startTime(b)
	if err != nil {
		return err
	}
	if start != v.StartTime || state == 'Z' || state == 'X' {
		return ErrGone
	}
	return nil
}

// text reads a small file of the process; what cannot be read is found as that.
func (v *view) text(name string) string {
	b, err := os.ReadFile(v.dir + name)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return string(b)
}

// link reads a link of the process.
func (v *view) link(name string) string {
	s, err := os.Readlink(v.dir + name)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return s
}

// ours are the namespaces of this process and of the host's first one, which
// do not change.
var ours = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, dir := range []string{"/proc/self/ns/", "/proc/1/ns/"} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if s, err := os.Readlink(dir + e.Name()); err == nil {
				all[s] = true
			}
		}
	}
	return all
})
