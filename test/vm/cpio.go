package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// archive writes a cpio archive of the "new ASCII" form, which the kernel
// unpacks as its first file system (Documentation/driver-api/early-userspace,
// buffer-format.rst). Everything in it belongs to root.
type archive struct {
	w      *bufio.Writer
	at     int64 // bytes written
	inode  int
	folder map[string]bool // those that are in it
	err    error
}

func newArchive(w io.Writer) *archive {
	return &archive{w: bufio.NewWriterSize(w, 1<<20), folder: map[string]bool{".": true, "/": true}}
}

// entry writes a header: thirteen numbers of eight hexadecimal digits after the
// magic one, then the name; both together end on a multiple of four bytes.
func (a *archive) entry(name string, mode uint32, size int64, device uint64) {
	a.inode++
	links := 1
	name = name[min(len(name), 1):] // relative: the names here begin with a slash
	a.write(fmt.Appendf(nil, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.inode, mode, 0, 0, links, 0, size, 0, 0, unix.Major(device), unix.Minor(device), len(name)+1, 0, name))
	a.pad()
}

func (a *archive) write(b []byte) {
	if a.err != nil {
		return
	}
	n, err := a.w.Write(b)
	a.at, a.err = a.at+int64(n), err
}

func (a *archive) pad() { a.write(make([]byte, -a.at&3)) }

// dir adds a directory and those above it.
func (a *archive) dir(name string) {
	if a.folder[name] {
		return
	}
	a.dir(path.Dir(name))
	a.folder[name] = true
	a.entry(name, unix.S_IFDIR|0o755, 0, 0)
}

func (a *archive) bytes(name string, mode uint32, content []byte) {
	a.dir(path.Dir(name))
	a.entry(name, unix.S_IFREG|mode, int64(len(content)), 0)
	a.write(content)
	a.pad()
}

func (a *archive) link(name, target string) {
	a.dir(path.Dir(name))
	a.entry(name, unix.S_IFLNK|0o777, int64(len(target)), 0)
	a.write([]byte(target))
	a.pad()
}

func (a *archive) device(name string, major, minor uint32) {
	a.dir(path.Dir(name))
	a.entry(name, unix.S_IFCHR|0o600, 0, unix.Mkdev(major, minor))
}

// copy adds a file of the host, with its permission bits.
func (a *archive) copy(name, from string) {
	f, err := os.Open(from)
	if err != nil {
		a.fail(err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.fail(err)
		return
	}
	a.dir(path.Dir(name))
	a.entry(name, unix.S_IFREG|uint32(info.Mode().Perm()), info.Size(), 0)
	if a.err != nil {
		return
	}
	n, err := io.CopyN(a.w, f, info.Size())
	a.at += n
	a.fail(err)
	a.pad()
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) close() error {
	a.entry("/TRAILER!!!", 0, 0, 0)
	a.fail(a.w.Flush())
	return a.err
}
