package bundle

import (
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

// extract writes what is in the package's directory name into dir.
func extract(files *archive.FS, name string, dir *os.Root) error {
	entries, err := fs.ReadDir(files, name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		full := path.Join(name, e.Name())
		if e.IsDir() {
			err = extractDir(files, full, dir)
		} else {
			err = extractFile(files, full, dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func extractDir(files *archive.FS, name string, dir *os.Root) error {
	base := path.Base(name)
	if err := dir.Mkdir(base, 0o755); err != nil {
		return err
	}
	if err := dir.Chmod(base, 0o755); err != nil {
		return err
	}
	sub, err := dir.OpenRoot(base)
	if err != nil {
		return err
	}
	defer sub.Close()
	return extract(files, name, sub)
}

func extractFile(files *archive.FS, name string, dir *os.Root) error {
	content, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := dir.OpenFile(path.Base(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Chmod(0o644)
}
