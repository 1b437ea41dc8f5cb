// Package launch is the protocol between the supervisor and the launcher, and
// the supervisor's end of it. The launcher's end is the subpackage server.
//
// The two share one SOCK_SEQPACKET socket, inherited by the launcher as fd 3.
// Each packet is one JSON object of at most MaxPacket bytes. The supervisor
// sends Requests; the launcher answers each with a Response of the same Seq,
// in any order, and sends events (Seq 0) when a worker ends, is refused a system
// call, or faults. The set of requests is closed. A request carries no path, no
// uid and no program: the launcher takes those from its own configuration
// alone. The root of a native program comes as a descriptor, which is proof that
// the supervisor could open it; system calls can be named only to take them away.
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
	OpStart  Op = "start"  // Role, Limits, three fds: channel, birth pipe, standard error, and for RoleNative the root directory → Started
	OpLimit  Op = "limit"  // Limits; for RoleNative Files must be what they were
	OpFreeze Op = "freeze" // the worker's cgroup
	OpThaw   Op = "thaw"
	OpKill   Op = "kill"   // everything in the worker's cgroup
	OpStat   Op = "stat"   // → Stat: usage, and each lock as verified from outside
	OpSample Op = "sample" // IDs, at most MaxSamples, and no ID → Samples; cheap enough for every second
)

// Role selects a system call table and a rootfs. The launcher knows which exist.
type Role string

// The roles.
const (
	RoleJS     Role = "js"     // a worker with the JavaScript engine and nothing else
	RoleNative Role = "native" // a worker that executes a program out of a root directory of the program's own

	RoleWasm        Role = "wasm"         // a worker with the WebAssembly engine
	RoleWasmCompile Role = "wasm-compile" // one that compiles a module for it and runs nothing
)

// MaxSamples is how many workers one OpSample may ask about.
const MaxSamples = 64

// MaxOnly is how many system calls Request.Only may name.
const MaxOnly = 512

// Request is one packet from the supervisor.
type Request struct {
	Seq    uint64        `json:"seq"`
	Op     Op            `json:"op"`
	ID     mp.InstanceID `json:"id"`
	Role   Role          `json:"role,omitempty"`
	Limits *mp.Limits    `json:"limits,omitempty"`

	// For OpStart.
	TTY   bool     `json:"tty,omitempty"`   // RoleNative: /dev/tty is there
	Learn bool     `json:"learn,omitempty"` // record every system call and refuse none; the launcher must have been started with --learn
	Only  []string `json:"only,omitempty"`  // RoleNative: of the role's table, what the program may call; names that the role does not have add nothing

	// For OpSample, which has no ID.
	IDs []mp.InstanceID `json:"ids,omitempty"`
}

// Response is one packet from the launcher.
type Response struct {
	Seq     uint64   `json:"seq"`
	Error   string   `json:"error,omitempty"`
	Missing string   `json:"missing,omitempty"` // the lock that the host lacks; Error says the rest
	Gone    bool     `json:"gone,omitempty"`    // there is no worker of that ID; Error says so, too
	Started *Started `json:"started,omitempty"`
	Stat    *Stat    `json:"stat,omitempty"`
	Samples []Sample `json:"samples,omitempty"`

	// Events: Seq is 0, and one of these is set.
	Event  *Exited `json:"event,omitempty"`
	Denied *Denied `json:"denied,omitempty"`
	Fault  *Fault  `json:"fault,omitempty"`
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
	OOM       bool          `json:"oom,omitempty"`     // the cgroup's memory limit killed it, or a process of it
	Syscall   string        `json:"syscall,omitempty"` // for SIGSYS, if the kernel's audit record told it
	CPUMicros uint64        `json:"cpu_us"`
	PeakBytes uint64        `json:"peak_bytes"`
	Learned   []Learned     `json:"learned,omitempty"` // if it was started with Learn: by name
}

// Learned is a system call that a program made while the launcher recorded.
type Learned struct {
	Syscall string `json:"syscall"`
	Count   uint64 `json:"count"`
	Action  string `json:"action"` // what the role's filter does with it: allow, kill, errno EPERM
}

// Denied tells of system calls that a worker's filter refused, by the kernel's
// audit records. The first of its kind is told at once, more of them once a
// second with their number. They may be incomplete: the kernel drops records
// that come too fast, and the launcher reads no more than so many a second.
type Denied struct {
	ID      mp.InstanceID `json:"id"`
	Pid     int           `json:"pid"`               // of the process that made the first of them
	Command string        `json:"command,omitempty"` // its name, which the program chose
	Syscall string        `json:"syscall"`
	Arch    string        `json:"arch"`   // x86_64, i386, x32, aarch64
	Action  string        `json:"action"` // killed, refused, logged
	Count   uint64        `json:"count"`
}

// Fault tells of a process of a worker that a memory fault or a bad
// instruction ended, as the kernel's log has it. Faults of one class and signal
// are told as system calls are: the first at once, more of them once a second
// with their number; the rest is that of the first of them. The kernel logs only
// some, ten in five seconds of the whole host, and none of SIGBUS.
type Fault struct {
	ID      mp.InstanceID `json:"id"`
	Pid     int           `json:"pid"`
	Command string        `json:"command,omitempty"`
	Signal  int           `json:"signal"`
	Class   mp.Fault      `json:"class"`
	Address uint64        `json:"address"` // 0 too if the kernel does not tell
	IP      uint64        `json:"ip"`      // where it was executing; likewise
	Count   uint64        `json:"count"`
}

// Sample is what a worker has used at one moment. All but Memory, Pids and
// Frozen only grow.
type Sample struct {
	ID          mp.InstanceID `json:"id"`
	CPU         time.Duration `json:"cpu"`
	Memory      uint64        `json:"memory"`
	Peak        uint64        `json:"peak,omitempty"`
	Pids        uint64        `json:"pids"`
	Periods     uint64        `json:"periods,omitempty"`      // of the processor quota
	Throttled   uint64        `json:"throttled,omitempty"`    // periods in which it was held back
	Faults      uint64        `json:"faults,omitempty"`       // page faults
	MajorFaults uint64        `json:"major_faults,omitempty"` // those that read from a disk
	Reclaimed   uint64        `json:"reclaimed,omitempty"`    // bytes that the kernel took back for the limit
	Stalled     time.Duration `json:"stalled,omitempty"`      // time in which some task waited for memory; 0 where the kernel does not tell
	OOMKills    uint64        `json:"oom_kills,omitempty"`
	Frozen      bool          `json:"frozen,omitempty"`
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
	Later bool   `json:"later,omitempty"` // RoleWasm: it is not on yet, and must be before the program's first instruction
}
