package enter

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// bound is where the search for open descriptors ends: at the limit of their
// number, which the launcher has set before it started the process, or where
// there is a large one or none, long after the first that a process opens.
func bound() int {
	const many = 1024
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return many // cannot happen
	}
	return int(min(l.Cur, many))
}

// closeDescriptors closes everything but what is kept and the two descriptors
// of the runtime's poller. Without those no socket could ever be waited for,
// and their numbers are told nowhere: they are found by how they behave.
func closeDescriptors(s *state) error {
	poller, err := pollerDescriptors()
	if err != nil {
		return err
	}
	keep := slices.Concat(s.Keep, poller)
	slices.Sort(keep)
	next := 0
	for _, fd := range slices.Compact(keep) {
		if fd < 0 {
			return fmt.Errorf("descriptor %d to keep is none", fd)
		}
		if err := closeRange(next, fd-1); err != nil {
			return err
		}
		next = fd + 1
	}
	return closeRange(next, math.MaxInt32)
}

func closeRange(first, last int) error {
	if first > last {
		return nil
	}
	if err := unix.CloseRange(uint(first), uint(last), 0); err != nil {
		return fmt.Errorf("close_range (Linux 5.9): %w", err)
	}
	return nil
}

// pollerDescriptors finds the runtime's epoll descriptor and the eventfd that
// wakes it. A fresh pipe is in the runtime's poller: the descriptor to which it
// cannot be added a second time is the poller. The eventfd is then the
// anonymous inode that cannot be added either. It has no other mark.
func pollerDescriptors() ([]int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	defer r.Close()
	defer w.Close()
	var probe int
	if err := control(r, func(fd int) { probe = fd }); err != nil {
		return nil, err
	}
	open := anonymousInodes()
	i := slices.IndexFunc(open, func(fd int) bool { return polls(fd, probe) })
	if i < 0 {
		return nil, errors.New("the runtime's poller is not among the first descriptors")
	}
	epoll := open[i]
	for _, fd := range slices.Delete(open, i, i+1) {
		if polls(epoll, fd) {
			return []int{epoll, fd}, nil
		}
	}
	return nil, errors.New("the descriptor that wakes the runtime's poller is not among the first")
}

// anonymousInodes lists the open descriptors that are neither files nor
// sockets: epoll, eventfd and their kind have no file type.
func anonymousInodes() []int {
	var open []int
	for fd := range bound() {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == 0 {
			open = append(open, fd)
		}
	}
	return open
}

// polls reports whether fd is already in the epoll descriptor's set. If it was
// not it is not afterwards either.
func polls(epoll, fd int) bool {
	err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{})
	if err == nil {
		unix.EpollCtl(epoll, unix.EPOLL_CTL_DEL, fd, nil)
	}
	return err == unix.EEXIST
}

// control gives f's descriptor to use without changing its mode.
func control(f *os.File, use func(fd int)) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { use(int(fd)) })
}

// proveDescriptors finds every kept descriptor open, the poller's as well, and no
// other below the bound.
func proveDescriptors(s *state) error {
	for _, fd := range s.Keep {
		if !isOpen(fd) {
			return fmt.Errorf("descriptor %d was to be kept and is closed", fd)
		}
	}
	poller, err := pollerDescriptors()
	if err != nil {
		return err
	}
	for fd := range bound() {
		if isOpen(fd) && !slices.Contains(s.Keep, fd) && !slices.Contains(poller, fd) {
			return fmt.Errorf("descriptor %d is open", fd)
		}
	}
	return nil
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}
