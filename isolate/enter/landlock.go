package enter

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
)

// setLandlock denies all that this kernel's Landlock can deny. Each thread gets
// a domain of its own from the same ruleset; threads made later inherit one.
func setLandlock(s *state) error {
	kernel, err := landlock.Running()
	if err != nil {
		return fmt.Errorf("landlock_create_ruleset (Linux 5.13, with landlock among its security modules): %w", err)
	}
	fd, err := kernel.Create()
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
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != unix.EACCES {
		unix.Close(fd)
		return fmt.Errorf("opening the root directory gives %w, want EACCES", orSuccess(err))
	}
	if s.report.LandlockABI < 4 {
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
