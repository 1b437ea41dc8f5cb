package server

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"golang.org/x/sys/unix"
)

// From linux/audit.h. The kernel tells of a process that a filter killed in a
// record of this type, in words of the form key=value.
const (
	auditSeccomp = 1326
	auditReadLog = 1 // the multicast group
)

// recordWait is how long a worker's end waits for the record about it. The two
// come out of the kernel independently.
const recordWait = 100 * time.Millisecond

// audit learns which system call a filter killed a process for. Without it
// (the kernel may have no audit, or another network namespace owns it) the
// calls have no names; nothing else is lost.
type audit struct {
	f *os.File

	mu    sync.Mutex
	calls map[int]chan string // pid of a live worker → the system call it was killed for
}

// listen begins to read the kernel's records.
func listen(log *slog.Logger) *audit {
	a := &audit{calls: map[int]chan string{}}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_AUDIT)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (auditReadLog - 1)})
	}
	if err != nil {
		log.Warn("cannot read the kernel's audit records: system calls that end a worker will have no name", "err", err)
		return a
	}
	a.f = os.NewFile(uintptr(fd), "audit")
	go a.read()
	return a
}

func (a *audit) close() {
	if a.f != nil {
		a.f.Close()
	}
}

// watch begins to listen for a process.
func (a *audit) watch(pid int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[pid] = make(chan string, 1)
}

// unwatch gives the system call that the process was killed for, if expected,
// and stops listening for it. "" if the kernel did not tell.
func (a *audit) unwatch(pid int, expected bool) (call string) {
	a.mu.Lock()
	c := a.calls[pid]
	a.mu.Unlock()
	if expected && a.f != nil {
		select {
		case call = <-c:
		case <-time.After(recordWait):
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.calls, pid)
	return call
}

// read delivers records until the socket is closed.
func (a *audit) read() {
	b := make([]byte, 16<<10) // a record is at most 8,970 bytes
	for {
		n, err := a.f.Read(b)
		if errors.Is(err, unix.ENOBUFS) {
			continue // records were lost: they were more than we could read
		}
		if err != nil {
			return
		}
		a.deliver(b[:n])
	}
}

// deliver takes the records in one datagram (netlink(7)).
func (a *audit) deliver(b []byte) {
	for len(b) >= unix.NLMSG_HDRLEN {
		h := header(b)
		if int(h.Len) < unix.NLMSG_HDRLEN || int(h.Len) > len(b) {
			return
		}
		if h.Type == auditSeccomp {
			if pid, call, ok := parse(b[unix.NLMSG_HDRLEN:h.Len]); ok {
				a.tell(pid, call)
			}
		}
		b = b[min(align(int(h.Len)), len(b)):]
	}
}

func (a *audit) tell(pid int, call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case a.calls[pid] <- call: // never, if nobody watches the process: the channel is nil
	default: // the first record is the one that killed
	}
}

// parse reads one record. Names that a process chose (comm, exe) are quoted or
// in hexadecimal, without blanks, so they cannot pose as another word.
func parse(record []byte) (pid int, call string, ok bool) {
	words := map[string]string{}
	for _, w := range strings.Fields(string(bytes.TrimRight(record, "\x00"))) {
		k, v, _ := strings.Cut(w, "=")
		words[k] = v
	}
	pid, perr := strconv.Atoi(words["pid"])
	nr, nerr := strconv.Atoi(words["syscall"])
	arch, aerr := strconv.ParseUint(words["arch"], 16, 32)
	if words["sig"] != "31" || errors.Join(perr, nerr, aerr) != nil {
		return 0, "", false // a call that was logged, not one that killed
	}
	return pid, compile.Name(uint32(arch), nr), true
}
