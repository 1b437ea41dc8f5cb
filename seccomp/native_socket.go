package seccomp

import "slices"

// Numbers of sockets (linux/socket.h, linux/net.h, asm-generic/socket.h).
const (
	afUnix        = 1
	sockStream    = 1
	sockDgram     = 2
	sockSeqpacket = 5
	sockCloexec   = 0x80000
	sockNonblock  = 0x800

	solSocket = 1
)

// nativeSockets: sockets among the program's own processes. A socket of any
// other family cannot be made; what can be done with one is therefore not asked.
func nativeSockets() []Rule {
	return slices.Concat(
		unixSocket("socket"),
		unixSocket("socketpair"),
		each("bind connect listen accept accept4 getsockname getpeername shutdown", "local sockets"),
		each("sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg", "messages, and descriptors with them"),
		each("getsockopt", "asks for options"),
		socketOptions(),
	)
}

func unixSocket(call string) (rows []Rule) {
	for _, kind := range []value{{sockStream, "SOCK_STREAM"}, {sockDgram, "SOCK_DGRAM"}, {sockSeqpacket, "SOCK_SEQPACKET"}} {
		rows = append(rows, allow(call, "local sockets; no family that leads out, or to seldom used code of the kernel",
			is32(0, afUnix, "family is AF_UNIX"),
			Arg{1, low32 &^ (sockCloexec | sockNonblock), uint64(kind.v), "type is " + kind.name + ", with or without SOCK_CLOEXEC, SOCK_NONBLOCK"}))
	}
	return rows
}

// socketOptions are those that mean something to a local socket. SO_ATTACH_FILTER
// and its like, with which a program gives the kernel a program, stay out.
func socketOptions() []Rule {
	return anyOf("setsockopt", "options of a local socket", 2, "optname", []value{
		{2, "SO_REUSEADDR"}, {6, "SO_BROADCAST"}, {7, "SO_SNDBUF"}, {8, "SO_RCVBUF"}, {9, "SO_KEEPALIVE"}, {10, "SO_OOBINLINE"}, {12, "SO_PRIORITY"},
		{13, "SO_LINGER"}, {15, "SO_REUSEPORT"}, {16, "SO_PASSCRED"}, {18, "SO_RCVLOWAT"}, {20, "SO_RCVTIMEO"}, {21, "SO_SNDTIMEO"},
		{29, "SO_TIMESTAMP"}, {35, "SO_TIMESTAMPNS"}, {42, "SO_PEEK_OFF"}, {66, "SO_RCVTIMEO_NEW"}, {67, "SO_SNDTIMEO_NEW"}, {76, "SO_PASSPIDFD"},
	}, is32(1, solSocket, "level is SOL_SOCKET"))
}
