package landlock

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a native program may do, by rights. A rule holds for everything below
// its directory, mount points included, and another one can only add to it
// (landlock(7)): so what one place is to have and another not must not be
// allowed above both.
const (
	Read    = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	Execute = unix.LANDLOCK_ACCESS_FS_EXECUTE

	// Change is everything in a directory of data: no execution, no devices.
	Change = Read | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX

	// Use is what devices that are already there are for.
	Use = Read | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// DenyNative gives the ruleset of a native program. It leaves signals alone:
// each thread of a process that restricts itself gets a domain of its own, and
// process 1 could signal its program only from the one thread that started it.
// There is nobody else in the pid namespace.
func (k Kernel) DenyNative() Ruleset {
	r := k.Deny()
	r.Scoped &^= unix.LANDLOCK_SCOPE_SIGNAL
	return r
}

// CreateNative makes the ruleset of a native program in the kernel, as Create
// does; Allow adds to it.
func (k Kernel) CreateNative() (fd int, err error) {
	rules := k.DenyNative()
	return create(&rules, k.size(), 0)
}

// pathBeneath is struct landlock_path_beneath_attr, which has no padding.
type pathBeneath struct {
	access [8]byte // a uint64 in native order
	parent int32
}

// Allow adds a rule: what is at, or below, a file opened with O_PATH may be
// accessed so. Rights that this kernel does not handle, and so does not deny,
// are left out.
func (k Kernel) Allow(ruleset, at int, access uint64) error {
	access &= k.DenyNative().FS
	rule := pathBeneath{parent: int32(at)}
	binary.NativeEndian.PutUint64(rule.access[:], access)
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule: %w", errno)
	}
	return nil
}
