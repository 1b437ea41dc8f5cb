// Package launch is the protocol between the supervisor and the launcher, and
// the supervisor's end of it. The launcher's end is the subpackage server.
//
// The two share one SOCK_SEQPACKET socket, inherited by the launcher as fd 3.
// Each packet is one JSON object of at most MaxPacket bytes. The supervisor
// sends Requests; the launcher answers each with a Response of the same Seq,
// in any order, and sends Events (Seq 0) when a worker ends. The set of
// requests is closed, and a request carries no path, no uid, no program and no
// system call: the launcher takes those from its own configuration alone.
//
// When the supervisor's end closes, the launcher ends every worker and exits.
package launch

import (
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// MaxPacket is the largest packet either side accepts, in bytes.
const MaxPacket = 64 << 10

// Op names a request.
type Op string

// The requests. Each names the worker by ID.
const (
	OpStart  Op = "start"  // Role, Limits, three fds: channel, birth pipe, standard error → Started
	OpLimit  Op = "limit"  // Limits
	OpFreeze Op = "freeze" // the worker's cgroup
	OpThaw   Op = "thaw"
	OpKill   Op = "kill" // everything in the worker's cgroup
	OpStat   Op = "stat" // → Stat: usage, and each lock as verified from outside
)

// Role selects a system call table and a rootfs. The launcher knows which exist.
type Role string

// RoleJS is a worker with the JavaScript engine and nothing else.
const RoleJS Role = "js"

// Request is one packet from the supervisor.
type Request struct {
	Seq    uint64        `json:"seq"`
	Op     Op            `json:"op"`
	ID     mp.InstanceID `json:"id"`
	Role   Role          `json:"role,omitempty"`
	Limits *mp.Limits    `json:"limits,omitempty"`
}

// Response is one packet from the launcher.
type Response struct {
	Seq     uint64   `json:"seq"`
	Error   string   `json:"error,omitempty"`
	Missing string   `json:"missing,omitempty"` // the lock that the host lacks; Error says the rest
	Gone    bool     `json:"gone,omitempty"`    // there is no worker of that ID; Error says so, too
	Started *Started `json:"started,omitempty"`
	Stat    *Stat    `json:"stat,omitempty"`
	Event   *Exited  `json:"event,omitempty"`
}

// Started identifies a new worker process on the host. The pidfd travels beside it.
type Started struct {
	Pid       int       `json:"pid"`
	StartTime uint64    `json:"start_time"` // field 22 of /proc/PID/stat, clock ticks since boot
	Policy    mp.Digest `json:"policy"`     // SHA-256 of the filter and every setting the worker was started with
}

// Exited says how a worker's process ended, as the kernel told it. Sent when
// its cgroup, namespaces and mounts are gone.
type Exited struct {
	ID        mp.InstanceID `json:"id"`
	Code      int           `json:"code"`              // if it exited
	Signal    int           `json:"signal,omitempty"`  // if a signal ended it
	OOM       bool          `json:"oom,omitempty"`     // the cgroup's memory limit killed it
	Syscall   string        `json:"syscall,omitempty"` // for SIGSYS, if the kernel's audit record told it
	CPUMicros uint64        `json:"cpu_us"`
	PeakBytes uint64        `json:"peak_bytes"`
}

// Stat is a worker as seen from outside.
type Stat struct {
	Pid       int           `json:"pid"`
	State     string        `json:"state"` // running, frozen
	CPU       time.Duration `json:"cpu"`   // used so far
	Memory    uint64        `json:"memory"`
	Peak      uint64        `json:"peak"`
	Pids      uint64        `json:"pids"`
	Throttled uint64        `json:"throttled"` // periods in which it was held back
	Locks     []Lock        `json:"locks"`
}

// Lock is one lock of a worker as the launcher found it in the kernel, not as
// it was asked for.
type Lock struct {
	Name  string `json:"name"`  // "user namespace", "seccomp", …
	Want  string `json:"want"`  // what a sealed worker must have
	Found string `json:"found"` // what this one has
	OK    bool   `json:"ok"`
}
