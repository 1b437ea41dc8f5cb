package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// folder is a directory in which files appear whole or not at all, and stay
// when the machine ends: a file is written under a name of its own, synchronised
// and renamed, and its directory is synchronised before anybody is told.
type folder struct{ *os.Root }

// tempSuffix ends the names of files that are being written. They are of no use
// to anybody else, and go when the store is opened.
const tempSuffix = ".tmp"

// subfolder opens a directory, which it makes if it is not there.
func subfolder(above *os.Root, name string) (folder, error) {
	if err := above.Mkdir(name, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return folder{}, err
	}
	r, err := above.OpenRoot(name)
	return folder{r}, err
}

// temp begins a file called name.
func (d folder) temp(name string) (*os.File, error) {
	return d.OpenFile(name+tempSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
}

// abandon removes a file that was begun.
func (d folder) abandon(f *os.File, name string) {
	f.Close()
	d.Remove(name + tempSuffix)
}

// settle makes a file that was begun appear, and closes it. Sync comes after the
// last one.
func (d folder) settle(f *os.File, name string) error {
	if err := f.Sync(); err != nil {
		d.abandon(f, name)
		return err
	}
	f.Close()
	return d.place(name)
}

// place makes a file appear whose content lasts.
func (d folder) place(name string) error { return d.Rename(name+tempSuffix, name) }

// stage writes a file and has its content last; place makes it appear.
func (d folder) stage(name string, fill func(io.Writer) error) error {
	f, err := d.temp(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	if err != nil {
		d.abandon(f, name)
	}
	return err
}

// sync makes the names in the directory last.
func (d folder) sync() error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// write writes a whole file.
func (d folder) write(name string, fill func(io.Writer) error) error {
	if err := d.stage(name, fill); err != nil {
		return err
	}
	if err := d.place(name); err != nil {
		return err
	}
	return d.sync()
}

// sealed fills a small file.
func sealed(k *key, b binding, content []byte) func(io.Writer) error {
	return func(w io.Writer) error { return k.seal(w, b, bytes.NewReader(content), int64(len(content))) }
}

// readSealed reads a small file. most is the longest that its content may be.
func (d folder) readSealed(k *key, name string, b binding, most int64) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := size(f)
	if err != nil {
		return nil, err
	}
	if n > sealedSize(most) {
		return nil, errNotAuthentic
	}
	var content bytes.Buffer
	if err := k.open(&content, b, f, n); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// reserve has the file system set aside n bytes for a file, where it can do that.
func reserve(f *os.File, n int64) error {
	err := control(f, func(fd uintptr) error { return unix.Fallocate(int(fd), 0, 0, n) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// each calls do with the names in the directory.
func (d folder) each(do func(name string)) error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	for _, name := range names {
		do(name)
	}
	return err
}

// sweep removes what is not to be kept: files that were being written, and
// those that wanted refuses.
func (d folder) sweep(wanted func(name string) bool) error {
	var failed error
	err := d.each(func(name string) {
		if strings.HasSuffix(name, tempSuffix) || !wanted(name) {
			failed = errors.Join(failed, d.RemoveAll(name))
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("cannot remove what is of no use: %w", err)
	}
	return nil
}
