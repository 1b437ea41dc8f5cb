// Package control is both ends of the control API: the messages of controlpb,
// served with Connect over a Unix socket.
//
// Who may call is decided by the kernel's word on who connected (SO_PEERCRED
// and SO_PEERGROUPS in unix(7)), taken once when the connection is accepted.
// Root, the operators' group and uids named in the configuration may do
// everything; all others nothing. The file mode of the socket keeps strangers
// away as well, but nothing here relies on it: an abstract socket has none.
//
// A package, the root directory of a native program, and its standard input and
// output travel as file descriptors (SCM_RIGHTS) with the first byte of an
// HTTP/1.1 request, because the supervisor may not be able to open the caller's
// files. A client opens a connection for such a request alone: what a request
// does not take is closed with its answer. HTTP/2 shares one connection between
// requests, so no descriptor can belong to one of them: there they are closed
// unread.
//
// Do not assume that a descriptor is what its sender says: it may be a FIFO, a
// device, or a file that shrinks. Whoever takes it checks it.
//
// Text from mini-programs (console lines, error messages, stacks) passes
// through as it is, as valid UTF-8 of bounded length. Whoever prints it to a
// terminal must escape control characters; Printable does.
package control
