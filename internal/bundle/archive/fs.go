package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

var (
	errIsDir    = errors.New("is a directory")
	errChecksum = errors.New("content does not match its checksum: pack the directory again")
)

// FS gives the files of a package by name. It is safe for concurrent use.
type FS struct {
	r     io.ReaderAt
	nodes map[string]*node // by name; "." is the root
	files []*node          // sorted by name
}

var (
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
)

func newFS(r io.ReaderAt, entries []entry) *FS {
	root := &node{entry: entry{name: "."}, dir: true}
	f := &FS{r: r, nodes: map[string]*node{".": root}}
	for _, e := range entries {
		n := &node{entry: e}
		f.files = append(f.files, n)
		f.add(n)
	}
	for _, n := range f.nodes {
		slices.SortFunc(n.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	}
	return f
}

// add puts n into its directory, and makes that if n is the first in it.
func (f *FS) add(n *node) {
	f.nodes[n.name] = n
	above := path.Dir(n.name)
	dir := f.nodes[above]
	if dir == nil {
		dir = &node{entry: entry{name: above}, dir: true}
		f.add(dir)
	}
	dir.children = append(dir.children, n)
}

// Names lists the files, sorted.
func (f *FS) Names() []string {
	names := make([]string, len(f.files))
	for i, n := range f.files {
		names[i] = n.name
	}
	return names
}

// Verify reads every file and compares it with its checksum.
func (f *FS) Verify() error {
	for _, n := range f.files {
		if _, err := f.content(n); err != nil {
			return fmt.Errorf("cannot read package: %w", err)
		}
	}
	return nil
}

// ReadFile returns the content of a file, compared with its checksum.
func (f *FS) ReadFile(name string) ([]byte, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errIsDir}
	}
	return f.content(n)
}

// Stat describes a file or directory.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{n}, nil
}

// Open opens a file or directory.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case n.dir:
		return &openDir{info: info{n}}, nil
	}
	content, err := f.content(n)
	if err != nil {
		return nil, err
	}
	return &openFile{info: info{n}, Reader: bytes.NewReader(content)}, nil
}

func (f *FS) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, ok := f.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

func (f *FS) content(n *node) ([]byte, error) {
	b := make([]byte, n.size)
	if err := readAt(f.r, b, n.start()); err != nil {
		return nil, &fs.PathError{Op: "read", Path: n.name, Err: err}
	}
	if checksum(b) != n.crc {
		return nil, &fs.PathError{Op: "read", Path: n.name, Err: errChecksum}
	}
	return b, nil
}

// node is a file or directory of the tree.
type node struct {
	entry
	dir      bool
	children []*node // of a directory, sorted by name
}

type info struct{ n *node }

func (i info) Name() string               { return path.Base(i.n.name) }
func (i info) Size() int64                { return int64(i.n.size) }
func (i info) ModTime() time.Time         { return time.Time{} } // packages have no times
func (i info) IsDir() bool                { return i.n.dir }
func (i info) Sys() any                   { return nil }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Stat() (fs.FileInfo, error) { return i, nil }
func (i info) Close() error               { return nil }

func (i info) Mode() fs.FileMode {
	if i.n.dir {
		return fs.ModeDir | 0o555
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
