// Package lock names the locks on a worker.
//
// A lock is one thing that keeps a worker from the rest of the host, tested
// alone: each has a name that start errors, `inspect`, the host report of
// `doctor` and the tests share. The package says what each lock stops and
// which half of a start sets it. It sets none of them: the launcher's are set
// by package isolate, the worker's own by package isolate/enter, and all are
// verified from outside by package isolate/verify.
package lock

import "fmt"

// Name names a lock.
type Name string

// The locks that the launcher sets before the worker's binary runs.
const (
	UserNamespace    Name = "user namespace"
	PidNamespace     Name = "pid namespace"
	MountNamespace   Name = "mount namespace"
	NetworkNamespace Name = "network namespace"
	IPCNamespace     Name = "ipc namespace"
	UTSNamespace     Name = "uts namespace"
	CgroupNamespace  Name = "cgroup namespace"
	UIDRange         Name = "uid range"
	Capabilities     Name = "capabilities"
	Securebits       Name = "securebits"
	Keyring          Name = "keyring"
	ReadOnlyRoot     Name = "read-only root"
	MemoryLimit      Name = "memory limit"
	PidsLimit        Name = "pids limit"
	CPULimit         Name = "cpu limit"
)

// The locks that the worker sets on itself, or proves to be set, before it
// accepts the first byte of a stranger's program.
const (
	Descriptors Name = "descriptors"
	Dumpable    Name = "dumpable"
	Rlimits     Name = "rlimits"
	NoNewPrivs  Name = "no_new_privs"
	Landlock    Name = "landlock"
	MDWE        Name = "mdwe"
	Seccomp     Name = "seccomp"
)

// Half is the half of a start that sets a lock.
type Half string

// The halves.
const (
	ByLauncher Half = "launcher" // before the worker's binary runs
	ByWorker   Half = "worker"   // by the worker's own code, last
)

// Info describes a lock.
type Info struct {
	Name     Name
	By       Half   // who sets it
	Required bool   // a start without it, or what stands in for it, is refused
	Stops    string // what a worker without it could do

	// Instead is the lock that stops the same on a kernel that does not have
	// this one, Absence says so in the words that people are shown, and Since is
	// the first kernel that has it. All are "" for a lock that every kernel has
	// on which a worker can be sealed.
	Instead Name
	Absence string
	Since   string
}

var all = []Info{
	{Name: UserNamespace, By: ByLauncher, Required: true, Stops: "holding a user id, or a capability, that means anything on the host"},
	{Name: PidNamespace, By: ByLauncher, Required: true, Stops: "seeing, signalling or tracing any other process"},
	{Name: MountNamespace, By: ByLauncher, Required: true, Stops: "seeing the host's files or changing its mounts"},
	{Name: NetworkNamespace, By: ByLauncher, Required: true, Stops: "using the host's addresses, abstract Unix sockets and network settings"},
	{Name: IPCNamespace, By: ByLauncher, Required: true, Stops: "sharing System V memory, semaphores and POSIX message queues"},
	{Name: UTSNamespace, By: ByLauncher, Required: true, Stops: "reading or changing the host's name"},
	{Name: CgroupNamespace, By: ByLauncher, Required: true, Stops: "learning where in the host's cgroup tree it lives, and so what runs beside it"},
	{Name: UIDRange, By: ByLauncher, Required: true, Stops: "signalling, or using up the quotas of, another worker that has the same user id on the host"},
	{Name: Capabilities, By: ByLauncher, Required: true, Stops: "acting as root inside its own namespaces, where most kernel bugs are reached"},
	{Name: Securebits, By: ByLauncher, Required: true, Stops: "gaining capabilities by a change of user id or an exec as user 0"},
	{Name: Keyring, By: ByLauncher, Required: true, Stops: "reading or revoking keys of the session that started the launcher"},
	{Name: ReadOnlyRoot, By: ByLauncher, Required: true, Stops: "writing files, or finding any besides the worker's binary"},
	{Name: MemoryLimit, By: ByLauncher, Required: true, Stops: "using memory, swap included, that the host needs"},
	{Name: PidsLimit, By: ByLauncher, Required: true, Stops: "forking until no other process can start"},
	{Name: CPULimit, By: ByLauncher, Required: true, Stops: "keeping every processor busy"},
	{Name: Descriptors, By: ByWorker, Required: true, Stops: "reading the start's secret, the image or anything else left open"},
	{Name: Dumpable, By: ByWorker, Required: true, Stops: "leaving its memory, another tenant's data, to a core dump or to a tracer of the same user id"},
	{Name: Rlimits, By: ByWorker, Required: true, Stops: "writing a core file, or raising any of its limits"},
	{Name: NoNewPrivs, By: ByWorker, Required: true, Stops: "gaining privilege from a set-user-ID or file-capability program"},
	{Name: Landlock, By: ByWorker, Required: true, Stops: "opening any file by name; on newer kernels also TCP, and reaching processes outside by signal or abstract socket"},
	{Name: MDWE, By: ByWorker, Required: true, Stops: "making memory executable that was ever writable",
		Instead: Seccomp, Absence: "not in this kernel; the filter refuses PROT_EXEC", Since: "Linux 6.3"},
	{Name: Seccomp, By: ByWorker, Required: true, Stops: "calling the parts of the kernel that it has no need of"},
}

// All lists every lock, in the order in which they are set. The caller may
// change the slice that it gets.
func All() []Info { return append([]Info(nil), all...) }

// Lookup describes the lock of that name.
func Lookup(name Name) (Info, bool) {
	for _, info := range all {
		if info.Name == name {
			return info, true
		}
	}
	return Info{}, false
}

// MissingError says that a lock could not be set or did not hold. A start that
// meets it for a required lock is refused.
type MissingError struct {
	Name   Name
	Reason string // what was tried and what the kernel said, and if known how to get it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("lock %q is missing: %s", string(e.Name), e.Reason)
}

// Missing makes a MissingError with a formatted reason.
func Missing(name Name, format string, args ...any) *MissingError {
	return &MissingError{Name: name, Reason: fmt.Sprintf(format, args...)}
}
