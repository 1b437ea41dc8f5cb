package server

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// recordsPerSecond bounds how many messages are read from one socket. A worker
// can make the kernel send a hundred thousand; the launcher stays cheap, and
// the kernel drops what it has no room for.
const recordsPerSecond = 1000

// listener reads what the kernel multicasts on a netlink socket (netlink(7)).
type listener struct {
	read func([]byte) (int, error)
	name string // of what is lost when the socket overflows
	log  *slog.Logger
}

// listen joins a multicast group. Of what is sent there only what a classic BPF
// program passes arrives (socket(7), SO_ATTACH_FILTER): the rest never wakes us.
func listen(protocol, group int, program []unix.SockFilter) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, err
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (group - 1)})
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// load16 and load32 load what the kernel wrote in native order; BPF takes it
// for network order, so that what it is compared with goes through swap.
func load16(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_ABS | unix.BPF_H, K: offset}
}

func load32(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_ABS | unix.BPF_W, K: offset}
}

func equal(value uint32, otherwise uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: otherwise, K: value}
}

var (
	pass = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1}
	drop = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
)

func swap16(v uint16) uint32 {
	return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, v)))
}

func swap32(v uint32) uint32 {
	return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, v))
}

// lossInterval is how often a log line says that records were lost.
const lossInterval = time.Minute

// run hands on the payload of each message until there is no reading any more.
func (l listener) run(take func([]byte)) {
	b := make([]byte, 16<<10) // an audit record is at most 8,970 bytes
	pace := pace{most: recordsPerSecond}
	var said time.Time
	for {
		pace.step()
		n, err := l.read(b)
		if errors.Is(err, unix.ENOBUFS) {
			if now := time.Now(); now.Sub(said) > lossInterval {
				said = now
				l.log.Warn("the kernel tells more than can be read: some is lost", "what", l.name)
			}
			continue
		}
		if err != nil {
			return
		}
		split(b[:n], take)
	}
}

// split hands on the payload of each message of one datagram.
func split(b []byte, take func([]byte)) {
	for len(b) >= unix.NLMSG_HDRLEN {
		n := uint64(binary.NativeEndian.Uint32(b))
		if n < unix.NLMSG_HDRLEN || n > uint64(len(b)) {
			return
		}
		take(b[unix.NLMSG_HDRLEN:n])
		next := (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
		b = b[min(next, uint64(len(b))):]
	}
}
