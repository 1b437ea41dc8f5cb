package server

import (
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// From linux/connector.h and linux/cn_proc.h. A message is a struct nlmsghdr
// (16 bytes), a struct cn_msg (20) and a struct proc_event: which event (4), the
// processor (4), the time (8), and what is told of the event, in words of 4.
const (
	connectorProc = 1          // CN_IDX_PROC, and CN_VAL_PROC
	procListen    = 1          // PROC_CN_MCAST_LISTEN
	procCoredump  = 0x40000000 // PROC_EVENT_COREDUMP: thread, process, the parent's thread and process
	procExit      = 0x80000000 // PROC_EVENT_EXIT: thread, process, wait status, signal, the parent's two

	connectorHeader = 20
	eventHeader     = 16
)

// death tells of a thread that dies by a signal. The numbers are those of the
// first pid namespace.
type death struct {
	tid, pid, parent int
	signal           unix.Signal // 0 if it has only begun: there may still be a core dump to write
}

// deathEvents passes the begin of each death by a signal that dumps core, and
// the end of processes (not of their other threads) by a fault's signals.
var deathEvents = func() []unix.SockFilter {
	const what, data = unix.NLMSG_HDRLEN + connectorHeader, unix.NLMSG_HDRLEN + connectorHeader + eventHeader
	return []unix.SockFilter{
		load32(what),
		equal(swap32(procCoredump), 1), pass,
		equal(swap32(procExit), 9),
		load32(data),
		{Code: unix.BPF_MISC | unix.BPF_TAX},
		load32(data + 4),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X, Jf: 5},
		load32(data + 8),
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: swap32(0x7f)},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 3, K: swap32(uint32(unix.SIGSEGV))},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 2, K: swap32(uint32(unix.SIGBUS))},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: swap32(uint32(unix.SIGILL))},
		drop, pass,
	}
}()

// deaths reads the kernel's process connector. The kernel makes a message of
// every fork and exit then, which costs each a microsecond; the filter keeps
// those from us.
type deaths struct{ f, stop *os.File }

// mourn asks for deaths.
func mourn() (*deaths, error) {
	f, err := listen(unix.NETLINK_CONNECTOR, connectorProc, deathEvents)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(subscription()); err != nil {
		f.Close()
		return nil, err
	}
	return &deaths{f: f}, nil
}

// run hands on the payload of each message until close. It is a race with the
// dying: who they are can be seen for some ten microseconds. So it has a thread
// of its own, which the kernel runs before all ordinary ones, whatever the load;
// how much it does there is bounded by the listener.
func (d *deaths) run(log *slog.Logger, take func([]byte)) error {
	raw, err := d.f.SyscallConn()
	if err != nil {
		return err
	}
	stopped, stop, err := os.Pipe()
	if err != nil {
		d.f.Close()
		return err
	}
	d.stop = stop
	go raw.Control(func(fd uintptr) { // which keeps the descriptor open
		defer stopped.Close()
		urgent()
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stopped.Fd()), Events: unix.POLLIN}}
		listener{
			read: func(b []byte) (int, error) { return wait(polled, b) },
			name: "deaths of processes, and with them faults", log: log,
		}.run(take)
	})
	return nil
}

func (d *deaths) close() {
	d.stop.Close()
	d.f.Close() // which waits for the thread
}

// wait reads from the first descriptor as soon as there is something, unless
// the second is done before.
func wait(polled []unix.PollFd, b []byte) (int, error) {
	for {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR {
			return 0, err
		}
		if polled[1].Revents != 0 {
			return 0, io.EOF
		}
		if n, err := unix.Read(int(polled[0].Fd), b); err != unix.EAGAIN && err != unix.EINTR {
			return n, err
		}
	}
}

// urgent gives the calling goroutine a thread for good, and that the lowest
// real-time priority. Where there is none to be had it gets the best of the
// ordinary ones, or none.
func urgent() {
	runtime.LockOSThread()
	const roundRobin, resetOnFork = 2, 1 // SCHED_RR, SCHED_FLAG_RESET_ON_FORK: sched_setattr(2)
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: roundRobin, Flags: resetOnFork, Priority: 1}, 0)
	if err != nil {
		unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	}
}

// subscription is the message that begins the telling.
func subscription() []byte {
	const size = unix.NLMSG_HDRLEN + connectorHeader + 4
	e := binary.NativeEndian
	b := e.AppendUint32(nil, size)
	b = e.AppendUint16(b, unix.NLMSG_DONE)
	b = append(b, make([]byte, 10)...) // flags, sequence number, sender: none
	b = e.AppendUint32(b, connectorProc)
	b = e.AppendUint32(b, connectorProc)
	b = append(b, make([]byte, 8)...) // sequence number, acknowledgement
	b = e.AppendUint16(b, 4)          // how long the rest is
	b = e.AppendUint16(b, 0)
	return e.AppendUint32(b, procListen)
}

// parseDeath reads the payload of one message.
func parseDeath(b []byte) (death, bool) {
	const data = connectorHeader + eventHeader
	if len(b) < data {
		return death{}, false
	}
	words := b[data:]
	n := func(i int) int { return int(int32(binary.NativeEndian.Uint32(words[4*i:]))) }
	switch what := binary.NativeEndian.Uint32(b[connectorHeader:]); {
	case what == procCoredump && len(words) >= 4*4:
		return death{tid: n(0), pid: n(1), parent: n(3)}, true
	case what == procExit && len(words) >= 6*4:
		return death{tid: n(0), pid: n(1), parent: n(5), signal: unix.Signal(n(2) & 0x7f)}, true
	}
	return death{}, false
}
