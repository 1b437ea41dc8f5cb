package memfs

import (
	"io"
	"math"
	"slices"
	"strings"

	experimentalsys "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// position is where in a file something is. It has a name of its own because the
// methods Seek here are wazero's, and go vet takes them for misspelt io.Seekers.
type position = int64

// handle is what open files and open directories have in common.
type handle struct {
	fs     *FS
	node   *node
	closed bool
}

func (h *handle) Dev() (uint64, experimentalsys.Errno)    { return device, 0 }
func (h *handle) Ino() (sys.Inode, experimentalsys.Errno) { return h.node.inode, 0 }

func (h *handle) Stat() (sys.Stat_t, experimentalsys.Errno) {
	if h.closed {
		return sys.Stat_t{}, experimentalsys.EBADF
	}
	return h.node.stat(), 0
}

func (h *handle) Utimens(atim, mtim int64) experimentalsys.Errno {
	if h.closed {
		return experimentalsys.EBADF
	}
	h.node.setTimes(atim, mtim)
	return 0
}

func (h *handle) Sync() experimentalsys.Errno     { return 0 }
func (h *handle) Datasync() experimentalsys.Errno { return 0 }

func (h *handle) Close() experimentalsys.Errno {
	if !h.closed {
		h.closed = true
		h.fs.open--
		h.node.open--
		h.fs.release(h.node)
	}
	return 0
}

// file is an open file.
type file struct {
	handle
	read, write, append bool
	offset              int64
}

var _ experimentalsys.File = (*file)(nil)

func (f *file) IsDir() (bool, experimentalsys.Errno) { return false, 0 }
func (f *file) IsAppend() bool                       { return f.append }

func (f *file) SetAppend(enable bool) experimentalsys.Errno {
	f.append = enable
	return 0
}

func (f *file) Read(b []byte) (int, experimentalsys.Errno) {
	n, errno := f.Pread(b, f.offset)
	f.offset += int64(n)
	return n, errno
}

func (f *file) Pread(b []byte, offset int64) (int, experimentalsys.Errno) {
	switch {
	case f.closed || !f.read:
		return 0, experimentalsys.EBADF
	case offset < 0:
		return 0, experimentalsys.EINVAL
	case offset >= int64(len(f.node.data)):
		return 0, 0
	}
	return copy(b, f.node.data[offset:]), 0
}

func (f *file) Write(b []byte) (int, experimentalsys.Errno) {
	if f.append {
		f.offset = int64(len(f.node.data))
	}
	n, errno := f.Pwrite(b, f.offset)
	f.offset += int64(n)
	return n, errno
}

func (f *file) Pwrite(b []byte, offset int64) (int, experimentalsys.Errno) {
	switch {
	case f.closed || !f.write:
		return 0, experimentalsys.EBADF
	case offset < 0 || offset > math.MaxInt64-int64(len(b)):
		return 0, experimentalsys.EINVAL
	case len(b) == 0:
		return 0, 0
	}
	if end := offset + int64(len(b)); end > int64(len(f.node.data)) && !f.fs.resize(f.node, end) {
		return 0, errFull
	}
	f.node.touch()
	return copy(f.node.data[offset:], b), 0
}

func (f *file) Truncate(size int64) experimentalsys.Errno {
	switch {
	case f.closed || !f.write:
		return experimentalsys.EBADF
	case size < 0:
		return experimentalsys.EINVAL
	case !f.fs.resize(f.node, size):
		return errFull
	}
	f.node.touch()
	return 0
}

func (f *file) Seek(offset position, whence int) (position, experimentalsys.Errno) {
	base := int64(0)
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = f.offset
	case io.SeekEnd:
		base = int64(len(f.node.data))
	default:
		return 0, experimentalsys.EINVAL
	}
	switch {
	case f.closed:
		return 0, experimentalsys.EBADF
	case base+offset < 0: // and when it is too large a number
		return 0, experimentalsys.EINVAL
	}
	f.offset = base + offset
	return f.offset, 0
}

func (f *file) Readdir(int) ([]experimentalsys.Dirent, experimentalsys.Errno) {
	return nil, experimentalsys.ENOTDIR
}

// block is what files grow by at the least.
const block = 4096

// resize gives a file another size; what is new is zero. It fails when there is
// no room.
func (f *FS) resize(n *node, size int64) bool {
	had := int64(cap(n.data))
	if size == 0 {
		f.give(had)
		n.data = nil
		return true
	}
	if size <= had {
		if old := int64(len(n.data)); size < old {
			clear(n.data[size:]) // or it would be there when the file grows again
		}
		n.data = n.data[:size]
		return true
	}
	// A quarter more than is needed when a file grows, or else what is needed.
	for _, more := range []int64{max(size, had+had/4), size} {
		if more > math.MaxInt64-block {
			return false
		}
		room := (more + block - 1) / block * block
		if f.take(room - had) {
			data := make([]byte, size, room)
			copy(data, n.data)
			n.data = data
			return true
		}
	}
	return false
}

// dirFile is an open directory.
type dirFile struct {
	experimentalsys.DirFile
	handle
	listed bool
	rest   []experimentalsys.Dirent // what Readdir has not given yet
}

var _ experimentalsys.File = (*dirFile)(nil)

// Seek goes back to the beginning, which is all that a directory can.
func (d *dirFile) Seek(offset position, whence int) (position, experimentalsys.Errno) {
	switch {
	case d.closed:
		return 0, experimentalsys.EBADF
	case offset != 0 || whence != io.SeekStart:
		return 0, experimentalsys.EINVAL
	}
	d.listed, d.rest = false, nil
	return 0, 0
}

// Readdir gives the next n names, or all that are left.
func (d *dirFile) Readdir(n int) ([]experimentalsys.Dirent, experimentalsys.Errno) {
	if d.closed {
		return nil, experimentalsys.EBADF
	}
	if !d.listed {
		d.rest, d.listed = d.node.list(), true
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	some := d.rest[:n:n]
	d.rest = d.rest[n:]
	return some, 0
}

// list gives what is in a directory, sorted.
func (n *node) list() []experimentalsys.Dirent {
	all := make([]experimentalsys.Dirent, 0, len(n.children))
	for name, c := range n.children {
		all = append(all, experimentalsys.Dirent{Name: name, Ino: c.inode, Type: c.stat().Mode.Type()})
	}
	slices.SortFunc(all, func(a, b experimentalsys.Dirent) int { return strings.Compare(a.Name, b.Name) })
	return all
}
