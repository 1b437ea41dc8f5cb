package enter

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
)

// setLandlock denies all that this kernel's Landlock can deny, or for a native
// program all but what that has its root for. Each thread gets a domain of its
// own from the same ruleset; threads and processes made later inherit one.
func setLandlock(s *state) error {
	kernel, err := landlock.Running()
	if err != nil {
		return fmt.Errorf("landlock_create_ruleset (Linux 5.13, with landlock among its security modules): %w", err)
	}
	create := kernel.Create
	if s.Native {
		create = func() (int, error) { return nativeRules(kernel) }
	}
	fd, err := create()
	if err != nil {
		return fmt.Errorf("landlock_create_ruleset: %w", err)
	}
	defer unix.Close(fd)
	if _, err := allThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), 0, 0); err != nil {
		return fmt.Errorf("landlock_restrict_self: %w", err)
	}
	s.report.LandlockABI, s.report.LandlockMissing = kernel.ABI, kernel.Missing()
	return nil
}

// proveLandlock tries what every process with a root directory can do, and
// where Landlock knows TCP what every process with a network namespace can.
func proveLandlock(s *state) error {
	if err := proveFiles(s.Native); err != nil {
		return err
	}
	return proveTCP(s.report.LandlockABI)
}

func proveFiles(native bool) error {
	if native {
		return proveNativeFiles()
	}
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != unix.EACCES {
		unix.Close(fd)
		return fmt.Errorf("opening the root directory gives %w, want EACCES", orSuccess(err))
	}
	return nil
}

func proveTCP(abi int) error {
	if abi < 4 {
		return nil
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil // no TCP, nothing to deny
	}
	defer unix.Close(sock)
	if err := unix.Bind(sock, &unix.SockaddrInet4{}); err != unix.EACCES {
		return fmt.Errorf("binding a TCP port gives %w, want EACCES", orSuccess(err))
	}
	return nil
}
