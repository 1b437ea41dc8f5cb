// Package ipc is the channel between a supervisor and one worker: calls and
// notifications, encrypted, over an inherited Unix stream socket. It carries
// bytes and knows no message.
//
// How: both ends run Noise_NNpsk0 with a secret that only they hold, then send
// frames of at most 65,535 bytes, each one Noise transport message. Messages
// longer than a frame travel in fragments. Many calls run at once in both
// directions; what one end may have outstanding is what the other granted.
// docs/protocol.md has every byte.
//
// The peer is assumed hostile. Whatever it sends, it can end its own
// connection and nothing else: every length is checked before memory is taken,
// and all that the connection holds for the peer is bounded by Limits. The
// first broken rule ends the connection with a *ProtocolError that names it.
//
// What not to assume:
//   - The handshake proves that the peer knows the secret, not who it is, and
//     not that its code is unharmed.
//   - A returned Notify, or a Call that is given up, says nothing about what
//     the peer has received.
//   - Descriptors go from the initiator to the responder alone. The initiator
//     reads without room for any, so the kernel never installs one there.
//
// A running Conn, once New has returned, makes these system calls and no
// other: recvmsg(2) and sendmsg(2) on the socket, close(2) at its end, and
// what Go's runtime makes for its poller, timers and threads (epoll_pwait,
// futex, read and write of the poller's eventfd). At the end of the
// connection the poller calls epoll_ctl. An end that receives descriptors also
// calls fcntl(F_GETFL) for each, in os.NewFile, and epoll_ctl for one that
// does not block; an end that sends them calls fcntl(F_DUPFD_CLOEXEC).
package ipc
