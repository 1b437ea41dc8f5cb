// Package stage is what runs in the launching program before its main function:
// the inner half of a worker's start, and the launcher's move to a safe place.
//
// libcontainer starts a worker by executing the launching program again with
// the single argument "init"; this package's initialiser then takes over and
// never returns. A program that starts workers therefore imports this package,
// and calls Enter as the first thing that main does.
//
// The package is small and imports little on purpose. Go initialises packages
// as soon as what they import is initialised, in the order of their paths, so
// the initialisers of everything that only the launcher needs do not run in
// that second execution, which is on the path of every start.
package stage

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/moby/sys/capability"
	"github.com/opencontainers/runc/libcontainer"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // its C constructor makes the namespaces
	"golang.org/x/sys/unix"
)

func init() {
	// The main goroutine keeps the main thread for itself. Otherwise one of
	// libcontainer's goroutines that joins a worker's mount namespace can be
	// left on that thread, and /proc/self, which is the main thread's, then
	// shows the inside of the worker.
	runtime.LockOSThread()
	if len(os.Args) == 2 && os.Args[1] == "init" && os.Getenv("_LIBCONTAINER_INITPIPE") != "" {
		inner()
	}
}

// inner runs as root of the worker's user namespace, in all its namespaces but
// before its root file system, and ends in the execution of the worker.
func inner() {
	if err := lockDown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(255)
	}
	// libcontainer's capability package asks /proc for the last capability, and
	// remembers it. It would ask when the worker's root, without /proc, is on.
	if _, err := capability.LastCap(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(255)
	}
	libcontainer.Init() // never returns
}

// From linux/securebits.h; see capabilities(7).
const (
	noRoot               = 1 << 0
	noRootLocked         = 1 << 1
	noSetuidFixup        = 1 << 2
	noSetuidFixupLocked  = 1 << 3
	noAmbientRaise       = 1 << 6
	noAmbientRaiseLocked = 1 << 7
)

// Securebits are what a worker runs with: no user id means anything for
// capabilities, on exec or on a change of id, no capability can be made
// ambient, and none of this can be changed. KEEP_CAPS is not locked, since
// libcontainer still sets it; an exec clears it.
const Securebits = noRoot | noRootLocked | noSetuidFixup | noSetuidFixupLocked | noAmbientRaise | noAmbientRaiseLocked

// Omissions say which locks of this package to leave out, in control runs of
// tests. They travel in the level of libcontainer's log, since that is the one
// number which it hands to the inner half before it does anything itself.
type Omissions int

// The locks.
const (
	OmitSecurebits Omissions = 1 << iota
	OmitKeyring
)

// quiet is the level at which only errors are logged. Without a level the inner
// half would log every step, and each line wakes the launcher up.
const quiet = 2

// LogLevel gives the level that a start with these omissions has.
func (o Omissions) LogLevel() string { return strconv.Itoa(quiet + int(o)) }

func omissions() Omissions {
	n, err := strconv.Atoi(os.Getenv("_LIBCONTAINER_LOGLEVEL"))
	if err != nil {
		return 0
	}
	return Omissions(n - quiet)
}

// lockDown sets the locks that libcontainer does not know.
func lockDown() error {
	omit := omissions()
	if omit&OmitSecurebits == 0 {
		if err := lockSecurebits(); err != nil {
			return err
		}
	}
	if omit&OmitKeyring == 0 {
		return leaveKeyring()
	}
	return nil
}

func lockSecurebits() error {
	// A new user namespace has the default bits, and the worker's own user may
	// not set them: it can only be done here.
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, Securebits, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot lock securebits: %w", err)
	}
	return nil
}

func leaveKeyring() error {
	// Namespaces do not part a process from the session keyring that it
	// inherits. An empty one without a name, which nobody can join, does.
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil && err != unix.ENOSYS {
		return fmt.Errorf("cannot leave the session keyring: %w", err)
	}
	return nil
}
