package ipc

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// batch is descriptors that came with one recvmsg(2), and which bytes came
// with them: the frame that announces them begins among those.
type batch struct {
	fds      []int
	from, to uint64
}

// maxBatches is how many can be unclaimed at once: one of a frame that was not
// whole, and one that came with its rest. More than the one frame that is not
// whole yet cannot lie between them and the reader.
const maxBatches = 2

// collect keeps the descriptors that came just now.
func (r *reader) collect(b batch) error {
	fds, err := parseFiles(r.room[:r.got.oobn], r.got.flags)
	b.fds = fds
	if err == nil && len(r.files) == maxBatches {
		err = broken(RuleFiles, "more before the last ones were announced")
	}
	if err != nil {
		closeAll(fds)
		return err
	}
	r.files = append(r.files, b)
	return nil
}

// claim gives the n descriptors that the last record announces, and refuses
// descriptors that no frame announced.
func (r *reader) claim(n int) ([]int, error) {
	if n == 0 {
		return nil, r.claimed()
	}
	if len(r.files) == 0 {
		return nil, broken(RuleFiles, "%d are announced, none came", n)
	}
	b := r.files[0]
	if len(b.fds) != n || r.last < b.from || r.last >= b.to {
		return nil, broken(RuleFiles, "%d are announced, %d came", n, len(b.fds))
	}
	r.files = r.files[1:]
	return b.fds, r.claimed()
}

// claimed refuses descriptors whose bytes are all read.
func (r *reader) claimed() error {
	if len(r.files) > 0 && r.at >= r.files[0].to {
		return broken(RuleFiles, "%d came that no frame announced", len(r.files[0].fds))
	}
	return nil
}

// parseFiles takes the descriptors out of ancillary data. Those that it
// returns are open even when there is an error.
func parseFiles(oob []byte, flags int) ([]int, error) {
	var all []int
	bad := flags&unix.MSG_CTRUNC != 0
	messages, err := unix.ParseSocketControlMessage(oob)
	for i := range messages {
		fds, e := unix.ParseUnixRights(&messages[i])
		all = append(all, fds...)
		bad = bad || e != nil
	}
	if bad || err != nil {
		return all, broken(RuleFiles, "ancillary data that is unsolicited, cut off, or holds something else")
	}
	return all, nil
}

// duplicate gives descriptors of our own for files, so that it does not matter
// when the caller closes them.
func duplicate(files []*os.File) (fds []int, err error) {
	for _, f := range files {
		fd, err := duplicateOne(f)
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("cannot send %s: %w", f.Name(), err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

func duplicateOne(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	ctl := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(ctl, err)
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd) // nothing to do about an error: the descriptor is gone either way
	}
}
