package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

var locks = []feature{
	{"locks", string(lock.NoNewPrivs), false, keeps(lock.NoNewPrivs), "Linux 3.5", child("no_new_privs", "can be set")},
	{"locks", string(lock.Securebits), false, keeps(lock.Securebits),
		"give the container that this runs in CAP_SETPCAP", asRoot(child("securebits", "can be locked"))},
	{"locks", string(lock.Keyring), false, keeps(lock.Keyring), "CONFIG_KEYS=y", child("keyring", "a new session keyring can be joined")},
	{"locks", string(lock.Landlock), false, keeps(lock.Landlock),
		"CONFIG_SECURITY_LANDLOCK=y, and landlock in the boot option lsm=", tryLandlock},
	{"locks", string(lock.MDWE), false, keeps(lock.MDWE), "Linux 6.3",
		unlessAbsent(lock.MDWE, "mdwe", "refuses to make data executable")},
	{"locks", string(lock.Seccomp), false, keeps(lock.Seccomp), "CONFIG_SECCOMP_FILTER=y", trySeccomp},
	{"locks", "names of denied calls", true,
		"naming the system call that seccomp killed a worker for; without it the cause is still told",
		"CONFIG_AUDIT=y, and CAP_AUDIT_READ for the launcher", tryAudit},
}

// asRoot lets only root try.
func asRoot(try func(context.Context, Options) finding) func(context.Context, Options) finding {
	return func(ctx context.Context, o Options) finding {
		if os.Geteuid() != 0 {
			return onlyRoot()
		}
		return try(ctx, o)
	}
}

func tryLandlock(ctx context.Context, o Options) finding {
	kernel, err := landlock.Running()
	if err != nil {
		return absent(err.Error())
	}
	found := fmt.Sprintf("ABI %d", kernel.ABI)
	if missing := kernel.Missing(); missing != nil {
		found += ", which cannot deny " + strings.Join(missing, ", ")
	}
	return result(inChild(ctx, o, "landlock", nil), found)
}

// unlessAbsent is for a lock that not every kernel has: on one that lacks it
// another stands in, and the lock is no longer required of the host. The child
// is asked, as for everything that a container or a filter may forbid.
func unlessAbsent(name lock.Name, childName, found string) func(context.Context, Options) finding {
	info, _ := lock.Lookup(name)
	return func(ctx context.Context, o Options) finding {
		err := inChild(ctx, o, childName, nil)
		if err != nil && err.Error() == errNotInKernel.Error() {
			return finding{found: info.Absence, optional: true}
		}
		return result(err, found)
	}
}

// trySeccomp has one child live under a filter, and one killed by it.
func trySeccomp(ctx context.Context, o Options) finding {
	for _, action := range []uint32{unix.SECCOMP_RET_KILL_PROCESS, unix.SECCOMP_RET_ERRNO, unix.SECCOMP_RET_LOG} {
		if err := actionAvailable(action); err != nil {
			return absent(fmt.Sprintf("action %#x: %v", action, err))
		}
	}
	if err := inChild(ctx, o, "seccomp", nil); err != nil {
		return absent(err.Error())
	}
	err := inChild(ctx, o, "seccomp-kill", nil)
	if signal, ok := endedBy(err); !ok || signal != syscall.SIGSYS {
		return absent(fmt.Sprintf("a forbidden system call did not end its process with SIGSYS: %v", err))
	}
	return there("filter on all threads, kill, errno, log")
}

// tryAudit subscribes to the multicast group that audit records go to.
func tryAudit(context.Context, Options) finding {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return absent(err.Error())
	}
	defer unix.Close(fd)
	const readLog = 1 // AUDIT_NLGRP_READLOG in linux/audit.h
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: readLog})
	if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
		return onlyRoot()
	}
	return result(err, "audit records can be read")
}
