package archive

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"time"
)

// node is a file or directory of the tree.
type node struct {
	entry            // of a directory with something in it only the name
	children []*node // of a directory, sorted by name
}

type info struct{ n *node }

func (i info) Name() string               { return path.Base(i.n.name) }
func (i info) Size() int64                { return int64(i.n.size) }
func (i info) ModTime() time.Time         { return time.Time{} } // packages have no times
func (i info) IsDir() bool                { return i.n.kind == Directory }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Stat() (fs.FileInfo, error) { return i, nil }
func (i info) Close() error               { return nil }

func (i info) Mode() fs.FileMode {
	switch i.n.kind {
	case Directory:
		return fs.ModeDir | 0o555
	case Link:
		return fs.ModeSymlink | 0o777
	case Executable:
		return 0o555
	}
	return 0o444
}

type openFile struct {
	info
	*bytes.Reader
}

func (f *openFile) Size() int64 { return f.info.Size() } // both embedded types have one

type openDir struct {
	info
	read int // children that ReadDir has given
}

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.name, Err: errIsDir}
}

// ReadDir gives the children by name, as fs.ReadDirFile asks.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.n.children[d.read:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(rest) {
		rest = rest[:n]
	}
	d.read += len(rest)
	list := make([]fs.DirEntry, len(rest))
	for i, c := range rest {
		list[i] = info{c}
	}
	return list, nil
}
