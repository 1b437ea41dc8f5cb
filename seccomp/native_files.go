package seccomp

import (
	"slices"
	"syscall"
)

// Numbers of fcntl and mknod (asm-generic/fcntl.h, linux/fcntl.h, linux/stat.h).
const (
	fGetFD        = 1
	fSetFD        = 2
	fSetFL        = 4
	fDupFDCloexec = 1030

	modeFormat  = 0xf000
	modeFIFO    = 0x1000
	modeRegular = 0x8000
	modeSocket  = 0xc000
)

// nativeFiles: what is done with names. The root is read-only, /tmp is small,
// and Landlock and the mounts say which file may be opened how; a filter cannot
// see a name.
func nativeFiles() []Rule {
	return slices.Concat(
		each("open openat openat2 creat", "opens files of its own root"),
		each("stat lstat fstat newfstatat statx access faccessat faccessat2 statfs fstatfs readlink readlinkat", "looks at files"),
		each("getdents getdents64 getcwd chdir fchdir", "looks through directories"),
		each("mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat truncate", "changes files in /tmp"),
		each("chmod fchmod fchmodat fchmodat2 utime utimes futimesat utimensat umask", "changes what is noted of them"),
		each("chown fchown lchown fchownat", "copies call it, to keep an owner; there is one user here, so that nothing comes of it"),
		each("getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat file_getattr", "copies ask for attributes"),
		each("setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat", "and keep them where the file system has any; those that mean something to the kernel take a capability"),
		each("inotify_init inotify_init1 inotify_add_watch inotify_rm_watch", "waits for changes of files"),
		makeNode("mknod", 1),
		makeNode("mknodat", 2),
	)
}

// makeNode allows all files but devices. The kernel takes the mode as 16 bits.
func makeNode(call string, mode int) (rows []Rule) {
	for _, format := range []value{{0, "of a regular file"}, {modeRegular, "of a regular file"}, {modeFIFO, "of a FIFO"}, {modeSocket, "of a socket"}} {
		rows = append(rows, allow(call, "makes pipes and files that have names; never a device",
			Arg{mode, modeFormat, uint64(format.v), "mode is " + format.name}))
	}
	return rows
}

// nativeDescriptors: what is done with what is open.
func nativeDescriptors() []Rule {
	return slices.Concat(
		each("read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek", "input and output"),
		each("close close_range dup dup2 dup3 pipe pipe2", "descriptors and pipes"),
		each("poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2", "waits for several at once"),
		each("eventfd eventfd2 signalfd signalfd4", "waits for events and signals as for input"),
		each("fsync fdatasync syncfs sync_file_range fadvise64 readahead fallocate ftruncate flock", "files that are open"),
		each("sendfile copy_file_range", "copies without a buffer of its own"),
		[]Rule{
			answer("sync", 0, "would have the host write all its disks; nothing that a program can write outlives it, so it is told that it is done").quiet(),
			answer("splice", syscall.EINVAL, "hands pages of one file to another, where others have got out; callers copy when the kernel says that these files cannot").quiet(),
		},
		descriptorCommands(),
	)
}

// descriptorCommands leaves out leases and F_NOTIFY, with which the opening of a
// file by others is held up or watched, and F_SETPIPE_SZ, with which pipes take
// memory that no limit was set for.
func descriptorCommands() []Rule {
	return slices.Concat(
		anyOf("fcntl", "duplicates, flags", 1, "cmd", []value{
			{fGetFD, "F_GETFD"}, {fSetFD, "F_SETFD"}, {fGetFL, "F_GETFL"}, {fSetFL, "F_SETFL"}, {0, "F_DUPFD"}, {fDupFDCloexec, "F_DUPFD_CLOEXEC"},
		}),
		anyOf("fcntl", "locks, as databases take them", 1, "cmd", []value{
			{5, "F_GETLK"}, {6, "F_SETLK"}, {7, "F_SETLKW"}, {36, "F_OFD_GETLK"}, {37, "F_OFD_SETLK"}, {38, "F_OFD_SETLKW"},
		}),
		anyOf("fcntl", "who is told of input by a signal: only processes of this namespace can be", 1, "cmd", []value{
			{8, "F_SETOWN"}, {9, "F_GETOWN"}, {10, "F_SETSIG"}, {11, "F_GETSIG"}, {15, "F_SETOWN_EX"}, {16, "F_GETOWN_EX"},
		}),
		anyOf("fcntl", "looks at a pipe, a lease, seals", 1, "cmd", []value{
			{1025, "F_GETLEASE"}, {1032, "F_GETPIPE_SZ"}, {1034, "F_GET_SEALS"},
		}),
		[]Rule{
			answer("fcntl", syscall.EINVAL, "asks whether two descriptors are one; as on a kernel that cannot tell", is32(1, 1027, "cmd is F_DUPFD_QUERY")).quiet(),
			answer("fcntl", syscall.EINVAL, "databases say how long what they write will live; as on a kernel before 4.13", is32(1, 1036, "cmd is F_SET_RW_HINT")).quiet(),
		},
	)
}
