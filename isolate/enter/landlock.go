package enter

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock is spoken to directly. The library for it brings a second module
// for the threads of C programs and an interface for rules; nothing allowed
// takes two system calls.

// ruleset is struct landlock_ruleset_attr (linux/landlock.h).
type ruleset struct {
	fs     uint64 // since ABI 1
	net    uint64 // since ABI 4
	scoped uint64 // since ABI 6
}

// erratumSignalThreads is a bit of the errata that are mended: without it the
// signal scope forbids a process to signal its own threads, which Go does all
// the time (Linux 6.12 to 6.14).
const erratumSignalThreads = 1 << 1

// deny gives a ruleset that handles every right that this ABI has, with no
// exception, and so denies them all. It changes when an ABI adds rights.
func deny(abi, errata int) (rules ruleset, size uintptr) {
	rules.fs = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	size = unsafe.Offsetof(rules.net)
	if abi >= 2 {
		rules.fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		rules.fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		rules.net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size = unsafe.Offsetof(rules.scoped)
	}
	if abi >= 5 {
		rules.fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		rules.scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		if errata&erratumSignalThreads != 0 {
			rules.scoped |= unix.LANDLOCK_SCOPE_SIGNAL
		}
		size = unsafe.Sizeof(rules)
	}
	if abi >= 9 {
		rules.fs |= unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX
	}
	if abi >= 10 {
		rules.net |= unix.LANDLOCK_ACCESS_NET_BIND_UDP | unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
	}
	return rules, size
}

// setLandlock denies all that this kernel's Landlock can deny. Each thread gets
// a domain of its own from the same ruleset; threads made later inherit one.
func setLandlock(s *state) error {
	abi, err := createRuleset(nil, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if err != nil {
		return fmt.Errorf("landlock_create_ruleset (Linux 5.13, with landlock among its security modules): %w", err)
	}
	errata, err := createRuleset(nil, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	if err != nil {
		errata = 0 // a kernel that does not tell has mended none
	}
	rules, size := deny(abi, errata)
	fd, err := createRuleset(&rules, size, 0)
	if err != nil {
		return fmt.Errorf("landlock_create_ruleset: %w", err)
	}
	defer unix.Close(fd)
	if _, err := allThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(fd), 0, 0); err != nil {
		return fmt.Errorf("landlock_restrict_self: %w", err)
	}
	s.landlockABI = abi
	return nil
}

// createRuleset is landlock_create_ruleset(2): a descriptor, or with a flag the
// number that was asked for.
func createRuleset(rules *ruleset, size, flags uintptr) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(rules)), size, flags)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// proveLandlock tries what every process with a root directory can do, and
// where Landlock knows TCP what every process with a network namespace can.
func proveLandlock(s *state) error {
	fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != unix.EACCES {
		unix.Close(fd)
		return fmt.Errorf("opening the root directory gives %w, want EACCES", orSuccess(err))
	}
	if s.landlockABI < 4 {
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
