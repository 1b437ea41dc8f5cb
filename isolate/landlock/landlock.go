// Package landlock makes the two Landlock rulesets that this project has: one
// denies everything that the running kernel's Landlock can deny, the other all
// of that but what a native program does in its own root.
//
// What that is depends on the kernel. Every Landlock denies files by name, and
// that much is required of a host; sockets, signals and device commands came
// later (landlock(7)). Missing names what a kernel's Landlock leaves to the
// other locks, so that nobody takes it for more than it is. Landlock is spoken
// to directly: nothing allowed takes two system calls, and something three.
package landlock

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ruleset is struct landlock_ruleset_attr (linux/landlock.h).
type Ruleset struct {
	FS     uint64 // since ABI 1
	Net    uint64 // since ABI 4
	Scoped uint64 // since ABI 6
}

// erratumSignalThreads is a bit of the errata that are mended: without it the
// signal scope forbids a process to signal its own threads, which Go does all
// the time (Linux 6.12 to 6.14).
const erratumSignalThreads = 1 << 1

// rights are what each ABI added. It changes when an ABI adds more.
var rights = []struct {
	abi    int
	errata int // the errata that must be mended besides
	adds   Ruleset
	denies string
}{
	{1, 0, Ruleset{FS: unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM}, "files"},
	// ABI 1 denies it always; from ABI 2 on whoever handles it does.
	{2, 0, Ruleset{FS: unix.LANDLOCK_ACCESS_FS_REFER}, ""},
	{3, 0, Ruleset{FS: unix.LANDLOCK_ACCESS_FS_TRUNCATE}, "truncating"},
	{4, 0, Ruleset{Net: unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}, "TCP"},
	{5, 0, Ruleset{FS: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV}, "device commands"},
	{6, 0, Ruleset{Scoped: unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET}, "abstract sockets"},
	{6, erratumSignalThreads, Ruleset{Scoped: unix.LANDLOCK_SCOPE_SIGNAL}, "signals"},
	{9, 0, Ruleset{FS: unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX}, "named sockets"},
	{10, 0, Ruleset{Net: unix.LANDLOCK_ACCESS_NET_BIND_UDP | unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP}, "UDP"},
}

// Kernel is what a kernel says of its Landlock.
type Kernel struct {
	ABI    int // 1 and up
	Errata int // bits of what is mended; 0 on a kernel that does not tell
}

// Running asks the running kernel. It fails where Landlock is not built in or
// not among the security modules that it was booted with.
func Running() (Kernel, error) {
	abi, err := create(nil, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if err != nil {
		return Kernel{}, err
	}
	errata, err := create(nil, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	if err != nil {
		errata = 0 // before Linux 6.15
	}
	return Kernel{abi, errata}, nil
}

// Deny gives the ruleset that handles every right that this kernel has, with
// no exception, and so denies them all.
func (k Kernel) Deny() (all Ruleset) {
	for _, r := range rights {
		if k.has(r.abi, r.errata) {
			all.FS |= r.adds.FS
			all.Net |= r.adds.Net
			all.Scoped |= r.adds.Scoped
		}
	}
	return all
}

// Missing names what newer kernels deny and this one does not, in the order in
// which they came. All of it is out of a worker's reach by other locks: the
// namespaces, the root without files, the filter.
func (k Kernel) Missing() (names []string) {
	for _, r := range rights {
		if !k.has(r.abi, r.errata) && r.denies != "" {
			names = append(names, r.denies)
		}
	}
	return names
}

func (k Kernel) has(abi, errata int) bool { return k.ABI >= abi && k.Errata&errata == errata }

// size is how much of the structure this kernel knows: it refuses a longer one
// only if the rest is not zero, but an older one should not be tempted.
func (k Kernel) size() uintptr {
	var r Ruleset
	switch {
	case k.ABI >= 6:
		return unsafe.Sizeof(r)
	case k.ABI >= 4:
		return unsafe.Offsetof(r.Scoped)
	}
	return unsafe.Offsetof(r.Net)
}

// Create makes the ruleset in the kernel. The descriptor is for
// landlock_restrict_self(2).
func (k Kernel) Create() (fd int, err error) {
	rules := k.Deny()
	return create(&rules, k.size(), 0)
}

// create is landlock_create_ruleset(2): a descriptor, or with a flag the
// number that was asked for.
func create(rules *Ruleset, size, flags uintptr) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(rules)), size, flags)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}
