package server

import (
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// From linux/audit.h. The kernel tells of a system call that a filter refused
// in a record of this type, which every listener of the group gets.
const (
	auditSeccomp = 1326
	auditReadLog = 1
)

// seccompRecords passes records of that type alone, which nlmsghdr has at 4.
var seccompRecords = []unix.SockFilter{load16(4), equal(swap16(auditSeccomp), 1), pass, drop}

// audit learns which system calls workers are refused. Without it (the kernel
// may have no audit, or this is not the first network namespace) nobody hears
// of refusals, and the call that ended a worker has no name; nothing else is lost.
type audit struct {
	f     *os.File
	owner func(uid uint32) *entry
}

// hear begins to read the kernel's records. owner says whose a user id is, nil
// if no worker's.
func hear(log *slog.Logger, owner func(uint32) *entry) *audit {
	a := &audit{owner: owner}
	f, err := listen(unix.NETLINK_AUDIT, auditReadLog, seccompRecords)
	if err != nil {
		log.Warn("cannot read the kernel's audit records: nobody hears of refused system calls", "err", err)
		return a
	}
	a.f = f
	go listener{f.Read, "refused system calls", log}.run(a.take)
	return a
}

func (a *audit) close() {
	if a.f != nil {
		a.f.Close()
	}
}

// take notes one record with the worker whose user id it names. A record that
// is older than the worker is about who had the user id before.
func (a *audit) take(b []byte) {
	r, ok := parseRecord(b)
	if !ok {
		return
	}
	e := a.owner(r.uid)
	if e == nil || r.when.Before(e.since) {
		return
	}
	action := r.action()
	if action == actionKilled {
		e.notes.killed(r.pid, compile.Name(r.arch, r.nr))
	}
	name, arch := compile.Call(r.arch, r.nr)
	e.notes.add(launch.Notice{Denied: &launch.Denied{
		ID: e.id, Pid: r.pid, Command: r.command, Syscall: name, Arch: arch, Action: action,
	}})
}
