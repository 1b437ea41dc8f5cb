package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
)

// ExtractRoot writes the root directory of the native program p into dir, which
// must be empty: what the package has as root/bin/x becomes bin/x. Files get
// the mode 0644 or 0755, directories 0755, whatever the umask; symbolic links
// are written as they are. Everything goes through dir, so that nothing outside
// of it is ever written, even while somebody else changes what is in it.
//
// After an error part of the files are there: the caller removes dir.
func ExtractRoot(p *Package, dir *os.Root) error {
	if err := extract(p.Files, archive.Root, dir); err != nil {
		return fmt.Errorf("cannot extract the program's root directory: %w", err)
	}
	return nil
}

// extract writes what is in the package's directory name into dir, symbolic
// links last, so that nothing of ours is ever written through one.
func extract(files *archive.FS, name string, dir *os.Root) error {
	entries, err := fs.ReadDir(files, name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type() != fs.ModeSymlink {
			err = extractEntry(files, path.Join(name, e.Name()), e, dir)
		}
		if err != nil {
			return err
		}
	}
	for _, e := range entries {
		if e.Type() == fs.ModeSymlink {
			err = extractLink(files, path.Join(name, e.Name()), dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func extractEntry(files *archive.FS, name string, e fs.DirEntry, dir *os.Root) error {
	if e.IsDir() {
		return extractDir(files, name, dir)
	}
	info, err := e.Info()
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return extractFile(files, name, mode, dir)
}

func extractDir(files *archive.FS, name string, dir *os.Root) error {
	base := path.Base(name)
	if err := dir.Mkdir(base, 0o755); err != nil {
		return err
	}
	sub, err := dir.OpenRoot(base)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Chmod(".", 0o755); err != nil { // the umask may have taken bits away
		return err
	}
	return extract(files, name, sub)
}

func extractFile(files *archive.FS, name string, mode fs.FileMode, dir *os.Root) (err error) {
	f, err := dir.OpenFile(path.Base(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := files.CopyFile(f, name); err != nil {
		return err
	}
	return f.Chmod(mode)
}

func extractLink(files *archive.FS, name string, dir *os.Root) error {
	target, err := files.ReadLink(name)
	if err != nil {
		return err
	}
	return dir.Symlink(target, path.Base(name))
}
