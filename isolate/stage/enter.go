package stage

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/runc/libcontainer/exeseal"
	"golang.org/x/sys/unix"
)

// placed marks, in the environment, a process that Enter has moved.
const placed = "_MPSUPERVISOR_STAGE"

// Enter moves the calling program, by executing it again, to where workers are
// started from: into a mount namespace of its own and onto a sealed copy of its
// binary in memory. It returns in the second execution, at once if there is
// nothing left to do. It must be called before anything is opened or started.
//
// The namespace makes every mount of the launcher vanish with it, however it
// dies. The copy cannot be written to by whoever gets hold of /proc/PID/exe
// from inside a worker's start (CVE-2019-5736); libcontainer would else make a
// protected view of the binary for every start.
func Enter() error {
	if mark := os.Getenv(placed); mark != "" {
		os.Unsetenv(placed)
		return named(mark)
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("cannot make a mount namespace (it takes CAP_SYS_ADMIN): %w", err)
	}
	// Slave, not private: what the operator unmounts must not stay mounted here.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("cannot part own mounts from the host's: %w", err)
	}
	name := own()
	path, err := sealed(name)
	if err != nil {
		return err
	}
	// One processor: the environment is handed down to every start's inner
	// half, which needs no more. Main sets its own number.
	env := append(os.Environ(), placed+"="+name, "GOMAXPROCS=1")
	return fmt.Errorf("cannot execute own copy: %w", unix.Exec(path, os.Args, env))
}

// own is the name of this program, as ps shows it.
func own() string {
	b, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		return "launcher"
	}
	return strings.TrimSpace(string(b))
}

// named gives the process its name back: executed from a descriptor, it has
// the descriptor's number for one.
func named(name string) error {
	return os.WriteFile("/proc/self/comm", []byte(name), 0)
}

// sealed copies this program into sealed memory. Where the host forbids
// executing memory (the sysctl vm.memfd_noexec), the program itself is used,
// and libcontainer protects it start by start.
func sealed(name string) (path string, err error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", fmt.Errorf("cannot read own binary: %w", err)
	}
	defer self.Close()
	info, err := self.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot read own binary: %w", err)
	}
	f, seal, err := exeseal.Memfd(name)
	if errors.Is(err, unix.EACCES) {
		return "/proc/self/exe", nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot make a file in memory: %w", err)
	}
	if n, err := f.ReadFrom(self); err != nil || n != info.Size() {
		return "", fmt.Errorf("cannot copy own binary (%d of %d bytes): %w", n, info.Size(), err)
	}
	if err := seal(&f); err != nil {
		return "", fmt.Errorf("cannot seal own copy: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d", f.Fd()), nil
}
