// Package attack is what the escape test and its probe say to each other: one
// Request a line from the test, one Outcome a line back, both JSON.
package attack

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// Masked is the Note of an Open that got the null device: the launcher puts it
// over files of /proc that nobody is to have.
const Masked = "masked"

// The attacks. Each is run by a process of its own after it has entered.
const (
	Native  = "native"  // a system call: Args are number and arguments
	Entry32 = "entry32" // the same by int $0x80
	EntryX  = "x32"     // the same with the x32 bit

	Open       = "open"       // Text is a path, Args[0] the flags; Note is Masked if the null device is in its place
	ReadFD     = "readfd"     // read descriptor Args[0] from its start
	MapExec    = "mapexec"    // map a page to write and execute
	TurnExec   = "turnexec"   // make a written page executable
	RunWritten = "runwritten" // and execute what was written
	BindTCP    = "bindtcp"    // listen on any port
	Connect    = "connect"    // to 127.0.0.1, port Args[0]
	Sockets    = "sockets"    // make a socket of each family and type: Note lists what could be made
	RaiseLimit = "raiselimit" // let itself dump core
	SpyOnKin   = "spy"        // read the memory of another sealed process of the same user
	SetUID     = "setuid"     // execute a set-user-ID program of the namespace's root: Note is what it became
	HostName   = "hostname"   // Note is the name of the host
	SetName    = "sethostname"
	WhoAmI     = "whoami"  // Note is the user id
	Grow       = "grow"    // touch Args[0] bytes
	Breed      = "breed"   // make Args[0] processes
	Spin       = "spin"    // use Args[0] milliseconds of a processor
	FindShm    = "findshm" // find System V memory by the key Args[0]
	ReadKey    = "readkey" // find the key named Text in the session keyring

	// Those of native programs.
	Write     = "write"     // a byte to the file Text
	Leaks     = "leaks"     // Note lists the descriptors that it should not have
	Mount     = "mount"     // a file system in memory on Text
	Spawn     = "spawn"     // a process with the flags Args[0], namespaces for example
	Clone3    = "clone3"    // a process by clone3
	Join      = "join"      // the namespace whose file is Text
	RunMemory = "runmemory" // execute a file without a name
	RunTmp    = "runtmp"    // execute a file of its own making in /tmp
	MapTmp    = "maptmp"    // map such a file to execute
	MapShm    = "mapshm"    // attach System V memory to execute
	Push      = "push"      // type into its own terminal by the ioctl request Args[0]
	Meet      = "meet"      // connect to the abstract socket Text
	Fill      = "fill"      // Args[0] bytes of /tmp
	Litter    = "litter"    // Args[0] files in /tmp
	Hoard     = "hoard"     // Args[0] descriptors
	TakeFD    = "takefd"    // descriptor Args[0] of process 1
)

// How far an attacker is that loads code as a worker for WebAssembly does: the
// code is not there yet, or it is, and the attacker was sealed for good.
const (
	Loading = "loading"
	Loaded  = "loaded"
)

// Request asks for one attack.
type Request struct {
	Attack  string
	Args    []uint64    `json:",omitempty"`
	Text    string      `json:",omitempty"`
	Without []lock.Name `json:",omitempty"` // locks that the attacker does not set
	Code    string      `json:",omitempty"` // Loading, Loaded, or "" for one that loads no code
}

// Outcome is what came of it. Exactly one of the first five members is set, or
// none: then the attack returned Ret, and was let through.
type Outcome struct {
	Failed  string         `json:",omitempty"` // the attack could not be tried
	Errno   syscall.Errno  `json:",omitempty"`
	Signal  syscall.Signal `json:",omitempty"` // it ended the attacker
	Exited  bool           `json:",omitempty"` // the attack ended the attacker without a signal
	Blocked bool           `json:",omitempty"` // the attack did not return
	Ret     uint64         `json:",omitempty"`
	Note    string         `json:",omitempty"`
}

// String gives the outcome in a few words, without the number returned.
func (o Outcome) String() string {
	switch {
	case o.Failed != "":
		return "failed: " + o.Failed
	case o.Signal != 0:
		return unix.SignalName(o.Signal)
	case o.Errno != 0:
		if name := unix.ErrnoName(o.Errno); name != "" {
			return name
		}
		return fmt.Sprintf("errno %d", uint(o.Errno))
	case o.Exited:
		return "exited"
	case o.Blocked:
		return "blocked"
	}
	if o.Note != "" {
		return "done: " + o.Note
	}
	return "done"
}

// Families is the number of address families that sockets are tried of: one
// above AF_MCTP, the last.
const Families = 46

// SocketTypes are the types that sockets are tried of (socket(2)).
var SocketTypes = []int{
	unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_RAW, unix.SOCK_RDM, unix.SOCK_SEQPACKET, unix.SOCK_DCCP, unix.SOCK_PACKET,
}
