package server

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// header reads a netlink header, in native byte order.
func header(b []byte) unix.NlMsghdr {
	return unix.NlMsghdr{
		Len:  binary.NativeEndian.Uint32(b),
		Type: binary.NativeEndian.Uint16(b[4:]),
	}
}

// align rounds up to where the next message begins.
func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
