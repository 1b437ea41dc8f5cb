package memfs

import (
	"io/fs"
	"path"
	"strings"
	"time"

	experimentalsys "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/sys"
)

// Budget is what all bytes are taken from, besides the file system's own limit.
type Budget interface {
	Take(n int64) bool
	Give(n int64)
}

// The answers to what there is no room for, or too long a name.
const (
	errFull = experimentalsys.EIO
	maxName = 255 // bytes
	maxOpen = 1024
)

// FS is the file system.
type FS struct {
	experimentalsys.UnimplementedFS // no links

	root   *node
	budget Budget
	bytes  int64 // that are left
	names  int64 // likewise
	open   int   // files that are open
	last   sys.Inode
}

var _ experimentalsys.FS = (*FS)(nil)

// New makes an empty file system of so many bytes, which it also takes from
// budget, and so many files and directories.
func New(bytes, names int64, budget Budget) *FS {
	f := &FS{bytes: bytes, names: names, budget: budget}
	f.root = f.newNode(true)
	return f
}

// node is a file or a directory.
type node struct {
	inode    sys.Inode
	children map[string]*node // nil for a file
	data     []byte           // its capacity is what was taken of the budget
	modified int64            // nanoseconds since the epoch, as the next one
	accessed int64
	open     int  // how often it is open
	gone     bool // nobody can find it any more
}

func (f *FS) newNode(dir bool) *node {
	f.last++
	n := &node{inode: f.last, modified: time.Now().UnixNano()}
	n.accessed = n.modified
	if dir {
		n.children = map[string]*node{}
	}
	return n
}

func (n *node) isDir() bool { return n.children != nil }

func (n *node) touch() { n.modified = time.Now().UnixNano() }

// find gives what is at a path, nil with ENOENT if there is nothing, and the
// directory in which it would be.
func (f *FS) find(name string) (n, dir *node, base string, errno experimentalsys.Errno) {
	cleaned := strings.TrimPrefix(path.Clean("/"+name), "/")
	if cleaned == "" {
		return f.root, nil, "", 0
	}
	n = f.root
	for part := range strings.SplitSeq(cleaned, "/") {
		switch {
		case n == nil:
			return nil, nil, "", experimentalsys.ENOENT
		case !n.isDir():
			return nil, nil, "", experimentalsys.ENOTDIR
		case len(part) > maxName:
			return nil, nil, "", experimentalsys.ENAMETOOLONG
		}
		dir, base = n, part
		n = dir.children[part]
	}
	if n == nil {
		return nil, dir, base, experimentalsys.ENOENT
	}
	return n, dir, base, 0
}

// add puts a new node into a directory.
func (f *FS) add(dir *node, base string, isDir bool) (*node, experimentalsys.Errno) {
	if f.names == 0 {
		return nil, errFull
	}
	f.names--
	n := f.newNode(isDir)
	dir.children[base] = n
	dir.touch()
	return n, 0
}

// remove takes a node out of its directory. Its bytes are given back when nobody
// has it open.
func (f *FS) remove(dir *node, base string) {
	n := dir.children[base]
	delete(dir.children, base)
	dir.touch()
	n.gone = true
	f.names++
	f.release(n)
}

func (f *FS) release(n *node) {
	if n.gone && n.open == 0 {
		f.give(int64(cap(n.data)))
		n.data = nil
	}
}

// take and give account for bytes.
func (f *FS) take(n int64) bool {
	if n > f.bytes || !f.budget.Take(n) {
		return false
	}
	f.bytes -= n
	return true
}

func (f *FS) give(n int64) {
	f.bytes += n
	f.budget.Give(n)
}

// OpenFile opens a file or directory, and makes a file if it is asked to.
func (f *FS) OpenFile(name string, flag experimentalsys.Oflag, _ fs.FileMode) (experimentalsys.File, experimentalsys.Errno) {
	n, dir, base, errno := f.find(name)
	write := flag&(experimentalsys.O_RDWR|experimentalsys.O_WRONLY) != 0
	switch {
	case f.open == maxOpen:
		return nil, errFull
	case errno == experimentalsys.ENOENT && dir != nil && flag&experimentalsys.O_CREAT != 0 && flag&experimentalsys.O_DIRECTORY == 0:
		if n, errno = f.add(dir, base, false); errno != 0 {
			return nil, errno
		}
	case errno != 0:
		return nil, errno
	case flag&experimentalsys.O_CREAT != 0 && flag&experimentalsys.O_EXCL != 0:
		return nil, experimentalsys.EEXIST
	case n.isDir() && write:
		return nil, experimentalsys.EISDIR
	case !n.isDir() && flag&experimentalsys.O_DIRECTORY != 0:
		return nil, experimentalsys.ENOTDIR
	case !n.isDir() && write && flag&experimentalsys.O_TRUNC != 0:
		f.resize(n, 0)
	}
	f.open++
	n.open++
	if n.isDir() {
		return &dirFile{handle: handle{fs: f, node: n}}, 0
	}
	return &file{
		handle: handle{fs: f, node: n},
		read:   flag&experimentalsys.O_WRONLY == 0, write: write, append: flag&experimentalsys.O_APPEND != 0,
	}, 0
}

// Stat describes what is at a path.
func (f *FS) Stat(name string) (sys.Stat_t, experimentalsys.Errno) {
	n, _, _, errno := f.find(name)
	if errno != 0 {
		return sys.Stat_t{}, errno
	}
	return n.stat(), 0
}

// Lstat is Stat: there are no links.
func (f *FS) Lstat(name string) (sys.Stat_t, experimentalsys.Errno) { return f.Stat(name) }

// device is the number of the device that all nodes are on.
const device = 1

func (n *node) stat() sys.Stat_t {
	st := sys.Stat_t{
		Dev: device, Ino: n.inode, Nlink: 1, Mode: 0o600, Size: int64(len(n.data)),
		Atim: n.accessed, Mtim: n.modified, Ctim: n.modified,
	}
	if n.isDir() {
		st.Mode = fs.ModeDir | 0o700
	}
	return st
}

// Mkdir makes a directory.
func (f *FS) Mkdir(name string, _ fs.FileMode) experimentalsys.Errno {
	_, dir, base, errno := f.find(name)
	switch {
	case errno == 0:
		return experimentalsys.EEXIST
	case errno != experimentalsys.ENOENT || dir == nil:
		return errno
	}
	_, errno = f.add(dir, base, true)
	return errno
}

// Chmod changes nothing: there are no permissions.
func (f *FS) Chmod(name string, _ fs.FileMode) experimentalsys.Errno {
	_, _, _, errno := f.find(name)
	return errno
}

// Unlink removes a file.
func (f *FS) Unlink(name string) experimentalsys.Errno {
	n, dir, base, errno := f.find(name)
	switch {
	case errno != 0:
		return errno
	case n.isDir():
		return experimentalsys.EISDIR
	}
	f.remove(dir, base)
	return 0
}

// Rmdir removes an empty directory.
func (f *FS) Rmdir(name string) experimentalsys.Errno {
	n, dir, base, errno := f.find(name)
	switch {
	case errno != 0:
		return errno
	case !n.isDir():
		return experimentalsys.ENOTDIR
	case n == f.root:
		return experimentalsys.EINVAL
	case len(n.children) > 0:
		return experimentalsys.ENOTEMPTY
	}
	f.remove(dir, base)
	return 0
}

// Rename moves a file or directory, over one of the same kind if there is one.
func (f *FS) Rename(from, to string) experimentalsys.Errno {
	n, dir, base, errno := f.find(from)
	switch {
	case errno != 0:
		return errno
	case n == f.root, within(from, to):
		return experimentalsys.EINVAL
	}
	old, target, name, errno := f.find(to)
	switch {
	case errno == experimentalsys.ENOENT && target != nil:
	case errno != 0:
		return errno
	case old == n:
		return 0
	case old == f.root:
		return experimentalsys.EINVAL
	case old.isDir() && !n.isDir():
		return experimentalsys.EISDIR
	case !old.isDir() && n.isDir():
		return experimentalsys.ENOTDIR
	case len(old.children) > 0:
		return experimentalsys.ENOTEMPTY
	default:
		f.remove(target, name)
	}
	delete(dir.children, base)
	target.children[name] = n
	dir.touch()
	target.touch()
	return 0
}

// within reports whether one path is below another.
func within(from, to string) bool {
	return strings.HasPrefix(path.Clean("/"+to)+"/", path.Clean("/"+from)+"/") && path.Clean("/"+to) != path.Clean("/"+from)
}

// Utimens sets times.
func (f *FS) Utimens(name string, atim, mtim int64) experimentalsys.Errno {
	n, _, _, errno := f.find(name)
	if errno == 0 {
		n.setTimes(atim, mtim)
	}
	return errno
}

func (n *node) setTimes(atim, mtim int64) {
	if atim != experimentalsys.UTIME_OMIT {
		n.accessed = atim
	}
	if mtim != experimentalsys.UTIME_OMIT {
		n.modified = mtim
	}
}
