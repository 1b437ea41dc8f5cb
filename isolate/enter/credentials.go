package enter

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bits of linux/securebits.h, each with the bit that locks it: no capability
// by being or becoming user 0, none kept over a change of user, none ambient.
const (
	noRoot         = 1<<0 | 1<<1
	noSetuidFixup  = 1<<2 | 1<<3
	noAmbientRaise = 1<<6 | 1<<7

	lockedSecurebits = noRoot | noSetuidFixup | noAmbientRaise
)

func setNoNewPrivs(*state) error {
	_, err := allThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
	return err
}

func proveNoNewPrivs(*state) error {
	set, err := allThreads(unix.SYS_PRCTL, unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	if err == nil && set != 1 {
		err = fmt.Errorf("prctl reads %d", set)
	}
	return err
}

// setSecurebits locks the securebits unless the launcher has, in the user
// namespace and before it gave up being root there. The kernel asks CAP_SETPCAP
// for it, so that a worker can do it only if it was left that one capability.
func setSecurebits(s *state) error {
	if proveSecurebits(s) == nil {
		return nil
	}
	if _, err := allThreads(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, lockedSecurebits, 0); err != nil {
		return fmt.Errorf("prctl: %w (the launcher must set them, or leave CAP_SETPCAP)", err)
	}
	return nil
}

func proveSecurebits(*state) error {
	bits, err := allThreads(unix.SYS_PRCTL, unix.PR_GET_SECUREBITS, 0, 0)
	if err == nil && bits&lockedSecurebits != lockedSecurebits {
		err = fmt.Errorf("prctl reads %#x, want %#x", bits, lockedSecurebits)
	}
	return err
}

// dropCapabilities empties the bounding set, then the other four. Emptying the
// permitted and inheritable sets empties the ambient set (capabilities(7)).
func dropCapabilities(*state) error {
	for c := uintptr(0); inBoundingSet(c); c++ {
		if _, err := allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0); err != nil {
			return fmt.Errorf("drop %d from the bounding set: %w", c, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, err := allThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0)
	return err
}

// proveCapabilities reads the sets of this thread. The others were made from
// one like it, and no thread can add to its own.
func proveCapabilities(*state) error {
	for c := uintptr(0); c <= lastCapability; c++ {
		if inBoundingSet(c) {
			return fmt.Errorf("capability %d is in the bounding set", c)
		}
		set, _ := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c)
		if set == 1 {
			return fmt.Errorf("capability %d is ambient", c)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if have != [2]unix.CapUserData{} {
		return fmt.Errorf("capget reads %+v", have)
	}
	return nil
}
