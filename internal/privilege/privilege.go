// Package privilege gives up root for good.
//
// Drop changes every thread of the process to another user, keeps only the
// capabilities named, and closes each way back: the bounding and ambient sets
// are emptied, the secure bits are locked, and no_new_privs is set. It then
// reads back from the kernel what every thread has, tries to become root
// again, and fails if anything is left.
//
// The all-threads system calls exist only in binaries built without cgo; in
// others Drop and DropAll fail and change nothing. A process whose Drop failed
// may be in any state between: it must end.
package privilege

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Cap is a capability's number (capabilities(7)).
type Cap uint

// DACReadSearch allows reading every file, and no writing.
const DACReadSearch Cap = unix.CAP_DAC_READ_SEARCH

// secureBits make user 0 mean nothing special, stop capabilities from coming
// and going with the user, and lock themselves (capabilities(7), "The
// securebits flags").
const secureBits = 1<<0 | 1<<1 | // noroot, and its lock
	1<<2 | 1<<3 | // no_setuid_fixup, and its lock
	1<<5 | // the lock of keep_caps, which stays off
	1<<6 | 1<<7 // no_cap_ambient_raise, and its lock

// Drop becomes u on all threads, with the capabilities in keep and no others.
// The caller must be root, and must end if it fails.
func Drop(u User, keep ...Cap) error {
	if u.UID == 0 || u.GID == 0 {
		return fmt.Errorf("cannot give up root: user %q has uid %d and gid %d", u.Name, u.UID, u.GID)
	}
	if err := drop(u, keep); err != nil {
		return fmt.Errorf("cannot give up root for user %s: %w", u, err)
	}
	return nil
}

func drop(u User, keep []Cap) error {
	if err := shut(); err != nil {
		return err
	}
	if err := change(u); err != nil {
		return err
	}
	if err := setCaps(keep); err != nil {
		return err
	}
	if err := noNewPrivs(); err != nil {
		return err
	}
	return verify(state{uid: u.UID, gid: u.GID, caps: mask(keep), emptied: true})
}

// DropAll gives up every capability that is left, on all threads, and stays
// the same user. It works for any user but root.
func DropAll() error {
	uid, gid := syscall.Getuid(), syscall.Getgid()
	if uid == 0 {
		return errors.New("cannot give up the last capabilities: still root; Drop comes first")
	}
	err := setCaps(nil)
	if err == nil {
		err = noNewPrivs()
	}
	if err == nil {
		err = verify(state{uid: uint32(uid), gid: uint32(gid)})
	}
	if err != nil {
		return fmt.Errorf("cannot give up the last capabilities: %w", err)
	}
	return nil
}

// shut closes what only a holder of CAP_SETPCAP can close: afterwards nothing
// that this process executes can gain a capability.
func shut() error {
	if err := shutBoundingSet(); err != nil {
		return err
	}
	if err := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil {
		return fmt.Errorf("cannot clear the ambient capabilities: %w", err)
	}
	if err := prctl(unix.PR_SET_SECUREBITS, secureBits); err != nil {
		return fmt.Errorf("cannot set the secure bits: %w", err)
	}
	return nil
}

// change becomes u. The Go runtime changes every thread. Groups go first: once
// the user is changed, they cannot be.
func change(u User) error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("cannot leave the supplementary groups: %w", err)
	}
	if err := syscall.Setresgid(int(u.GID), int(u.GID), int(u.GID)); err != nil {
		return fmt.Errorf("cannot become group %d: %w", u.GID, err)
	}
	if err := syscall.Setresuid(int(u.UID), int(u.UID), int(u.UID)); err != nil {
		return fmt.Errorf("cannot become user %d: %w", u.UID, err)
	}
	// Other processes of the same user must not read this one's memory.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot make the process not dumpable: %w", err)
	}
	return nil
}

// setCaps makes keep the permitted and effective capabilities, and none
// inheritable (capset(2)).
func setCaps(keep []Cap) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	m := mask(keep)
	for i := range data {
		data[i].Permitted = uint32(m >> (32 * i))
		data[i].Effective = data[i].Permitted
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0)
	runtime.KeepAlive(&header)
	runtime.KeepAlive(&data)
	if errno != 0 {
		return fmt.Errorf("cannot set the capabilities: %w", explain(errno))
	}
	return nil
}

func noNewPrivs() error {
	if err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("cannot set no_new_privs: %w", err)
	}
	return nil
}

// prctl calls prctl(2) on every thread.
func prctl(option int, arg uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, uintptr(option), arg, 0, 0, 0, 0)
	if errno != 0 {
		return explain(errno)
	}
	return nil
}

// explain tells a build without all-threads calls from the kernel's refusal.
func explain(errno syscall.Errno) error {
	if errno == syscall.ENOTSUP {
		return errors.New("this binary was built with cgo; build it with CGO_ENABLED=0")
	}
	return errno
}

func mask(caps []Cap) uint64 {
	var m uint64
	for _, c := range caps {
		m |= 1 << c
	}
	return m
}
