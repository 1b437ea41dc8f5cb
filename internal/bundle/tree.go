package bundle

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// tree reads a directory into memory and remembers what each file, directory
// and symbolic link looked like when it was first seen.
type tree struct {
	root  *os.Root
	files map[string]archive.File
	size  int64 // of all files together
	seen  map[string]fs.FileInfo
}

func newTree(root *os.Root) *tree {
	return &tree{root: root, files: map[string]archive.File{}, seen: map[string]fs.FileInfo{}}
}

// read takes in the directory name and everything below it.
func (t *tree) read(name string) error {
	dir, err := t.open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	for empty := true; ; empty = false {
		batch, err := dir.ReadDir(512) // bounded, for a directory may have millions
		if empty && len(batch) == 0 && archive.BelowRoot(name) {
			t.files[name] = archive.File{Kind: archive.Directory}
		}
		for _, e := range batch {
			if err := t.entry(path.Join(name, e.Name())); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return changed(name, err)
		}
	}
}

// entry takes in one entry of a directory, by what kind it is.
func (t *tree) entry(name string) error {
	native := archive.BelowRoot(name)
	if strings.HasPrefix(path.Base(name), ".") && !native {
		return nil
	}
	if err := archive.CheckName(name); err != nil {
		return &badError{err}
	}
	info, err := t.root.Lstat(name)
	if err != nil {
		return changed(name, err)
	}
	switch kind := info.Mode().Type(); {
	case kind == 0:
		return t.file(name)
	case kind == fs.ModeDir:
		return t.read(name)
	case kind == fs.ModeSymlink && native:
		return t.link(name, info)
	}
	return t.refuse(name, info)
}

// link takes in a symbolic link. Where it leads is for the archive to judge.
func (t *tree) link(name string, info fs.FileInfo) error {
	if err := t.enough(); err != nil {
		return err
	}
	target, err := t.root.Readlink(name)
	if err != nil {
		return changed(name, err)
	}
	t.seen[name] = info
	t.files[name] = archive.File{Kind: archive.Link, Content: []byte(target)}
	return nil
}

// enough says when there are too many to go on.
func (t *tree) enough() error {
	if len(t.seen) > archive.MaxFiles {
		return bad("more than %d files and directories: %w", archive.MaxFiles, mp.ErrTooLarge)
	}
	return nil
}

// open opens a file or directory, in a way that neither follows a symbolic
// link at its end nor waits for a FIFO that was put in its place, and notes
// what it looks like. What it opened is what stands under that name.
func (t *tree) open(name string) (*os.File, error) {
	if err := t.enough(); err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, changed(name, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = t.note(name, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (t *tree) note(name string, info fs.FileInfo) error {
	named, err := t.root.Lstat(name)
	switch {
	case err != nil:
		return changed(name, err)
	case !same(info, named):
		return changed(name, nil)
	case !info.Mode().IsRegular() && !info.IsDir():
		return t.refuse(name, info)
	}
	t.seen[name] = info
	return nil
}

// file takes in one regular file.
func (t *tree) file(name string) error {
	f, err := t.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info := t.seen[name]
	kind, err := kindOf(name, info)
	if err != nil {
		return err
	}
	content, err := readStable(f, name, info)
	if err != nil {
		return err
	}
	t.files[name] = archive.File{Kind: kind, Content: content}
	if t.size += int64(len(content)); t.size > archive.MaxSize {
		return bad("the files have more than %d bytes together: %w", archive.MaxSize, mp.ErrTooLarge)
	}
	return nil
}

// kindOf tells what kind of file the mode makes of one. Only below root/ does it
// matter: a file there that would change users or groups is refused.
func kindOf(name string, info fs.FileInfo) (archive.Kind, error) {
	mode := info.Mode()
	if !archive.BelowRoot(name) {
		return archive.Plain, nil
	}
	for _, b := range []struct {
		bit         fs.FileMode
		name, chmod string
	}{{fs.ModeSetuid, "setuid", "u-s"}, {fs.ModeSetgid, "setgid", "g-s"}, {fs.ModeSticky, "sticky", "-t"}} {
		if mode&b.bit != 0 {
			return 0, bad("%s has the %s bit: take it away (chmod %s), a program cannot change its user", name, b.name, b.chmod)
		}
	}
	if mode&0o111 != 0 {
		return archive.Executable, nil
	}
	return archive.Plain, nil
}

// readStable reads the content of f, which looked like info when it was
// opened, and establishes that it still does. Kernels before 6.13 stamp times
// by the clock tick: there, two writes within one tick can look like one.
func readStable(f *os.File, name string, info fs.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, changed(name, nil)
	}
	if most := archive.MaxBytes(name); info.Size() > most {
		return nil, bad("%s has %d bytes, at most %d are allowed: %w", name, info.Size(), most, mp.ErrTooLarge)
	}
	if err := awaitWriter(f); err != nil {
		return nil, bad("%w", err)
	}
	content := make([]byte, info.Size()+1) // one more, to see it grow
	n, err := io.ReadFull(f, content)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, bad("%w", err)
	}
	after, err := f.Stat()
	if err != nil || int64(n) != info.Size() || !same(info, after) {
		return nil, changed(name, err)
	}
	return content[:n], nil
}

// awaitWriter returns when a write(2) to f that was under way has ended. A write
// changes the times of a file when it begins: of one that began before f was
// looked at they tell nothing. It holds the file's lock meanwhile, which looking
// for a hole waits for (ext4, btrfs, tmpfs; on XFS reading itself does).
func awaitWriter(f *os.File) error {
	const seekHole = 4  // lseek(2)
	f.Seek(0, seekHole) // not every file system has it, and an empty file has no hole
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// unchanged establishes that everything still looks as it did when it was
// opened, so that the files belong together.
func (t *tree) unchanged() error {
	for name, info := range t.seen {
		now, err := t.root.Lstat(name)
		if err != nil || !same(info, now) {
			return changed(name, err)
		}
	}
	return nil
}

// same reports whether two looks at a file saw the same file, unchanged.
func same(a, b fs.FileInfo) bool {
	s, t := a.Sys().(*syscall.Stat_t), b.Sys().(*syscall.Stat_t)
	return s.Dev == t.Dev && s.Ino == t.Ino && s.Mode == t.Mode &&
		s.Size == t.Size && s.Mtim == t.Mtim && s.Ctim == t.Ctim
}
