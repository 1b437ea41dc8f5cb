package archive

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

var (
	errIsDir    = errors.New("is a directory")
	errChecksum = errors.New("content does not match its checksum: pack the directory again")
)

// copyBuffer is how much of a file is in memory at once.
const copyBuffer = 64 << 10

// FS gives the files of a package by name. It follows symbolic links, with the
// package's root/ as the root directory. It is safe for concurrent use.
type FS struct {
	r     io.ReaderAt
	nodes map[string]*node // by name; "." is the whole
	files []*node          // those with an entry, sorted by name
	links *links
}

var (
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

func newFS(r io.ReaderAt, entries []entry) *FS {
	root := &node{entry: entry{name: ".", kind: Directory}}
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
		dir = &node{entry: entry{name: above, kind: Directory}}
		f.add(dir)
	}
	dir.children = append(dir.children, n)
}

// Names lists what has an entry, sorted: files, symbolic links and empty
// directories.
func (f *FS) Names() []string {
	names := make([]string, len(f.files))
	for i, n := range f.files {
		names[i] = n.name
	}
	return names
}

// Verify reads every file and compares it with its checksum. It takes no memory
// for them.
func (f *FS) Verify() error {
	for _, n := range f.files {
		if err := f.copy(io.Discard, n); err != nil {
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
	if n.kind == Directory {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errIsDir}
	}
	return f.content(n)
}

// CopyFile writes the content of a file to w. An error about its checksum
// comes when it has been written.
func (f *FS) CopyFile(w io.Writer, name string) error {
	n, err := f.find("open", name)
	if err != nil {
		return err
	}
	if n.kind == Directory {
		return &fs.PathError{Op: "read", Path: name, Err: errIsDir}
	}
	return f.copy(w, n)
}

// Stat describes a file or directory, and of a symbolic link what it leads to.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{n}, nil
}

// Lstat describes a file or directory, and of a symbolic link the link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	n, err := f.at("lstat", name)
	if err != nil {
		return nil, err
	}
	return info{n}, nil
}

// ReadLink gives the target of a symbolic link.
func (f *FS) ReadLink(name string) (string, error) {
	n, err := f.at("readlink", name)
	switch {
	case err != nil:
		return "", err
	case n.kind != Link:
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return f.links.targets[inRoot(name)], nil
}

// Open opens a file or directory.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case n.kind == Directory:
		return &openDir{info: info{n}}, nil
	}
	content, err := f.content(n)
	if err != nil {
		return nil, err
	}
	return &openFile{info: info{n}, Reader: bytes.NewReader(content)}, nil
}

// find gives the node that name leads to.
func (f *FS) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	end, err := f.links.resolve(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return f.at(op, end)
}

// at gives the node of that very name.
func (f *FS) at(op, name string) (*node, error) {
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

// copy writes the content to w and holds it against its size and checksum.
func (f *FS) copy(w io.Writer, n *node) error {
	sum := crc32.NewIEEE()
	buffer := make([]byte, min(n.size, copyBuffer))
	r := struct{ io.Reader }{io.NewSectionReader(f.r, n.start(), int64(n.size))} // no WriterTo, which has buffers of its own
	copied, err := io.CopyBuffer(struct{ io.Writer }{w}, io.TeeReader(r, sum), append(buffer, 0))
	switch {
	case err != nil:
	case copied != int64(n.size):
		err = io.ErrUnexpectedEOF
	case sum.Sum32() != n.crc:
		err = errChecksum
	default:
		return nil
	}
	return &fs.PathError{Op: "read", Path: n.name, Err: err}
}
