package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// manifestName is the manifest's place in every package.
const manifestName = "manifest.json"

// Pack reads the directory dir and returns it as a sealed package.
//
// Only regular files go in. Entries whose name begins with a dot are left out,
// so that .git and editors' files never travel. Anything else (symbolic link,
// device, FIFO, socket) is an error that names it, and so is a name or size
// beyond the bounds of the archive package, or anything that changed while it
// was read. Nothing outside dir is ever opened, and nothing but regular files
// and directories is.
//
// What is below root/ is a native program's root directory and goes in whole:
// names with a dot, symbolic links that stay below root/, empty directories, and
// of the modes whether a file can be executed. A file with the setuid, setgid or
// sticky bit is an error. Owners, other modes, hard links and extended
// attributes are not kept.
//
// Errors: mp.ErrNotFound when dir is not there, mp.ErrBadPackage when it cannot
// become a package, mp.ErrTooLarge besides when a bound is the reason.
func Pack(dir string) (*os.File, error) {
	files, err := readDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot pack %s: %w", dir, err)
	}
	f, err := packFiles(files)
	if err != nil {
		return nil, fmt.Errorf("cannot pack %s: %w", dir, err)
	}
	return f, nil
}

func readDir(dir string) (map[string]archive.File, error) {
	root, err := openRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	t := newTree(root)
	if err := t.read("."); err != nil {
		return nil, err
	}
	if err := t.unchanged(); err != nil {
		return nil, err
	}
	if _, ok := t.files[manifestName]; !ok {
		return nil, bad("there is no %s in it: write one, or name the directory that has it", manifestName)
	}
	return t.files, nil
}

// openRoot opens dir itself. Its own name may be a symbolic link: the caller
// chose it, not the package's author.
func openRoot(dir string) (*os.Root, error) {
	info, err := os.Stat(dir) // first, for opening a FIFO would block
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no such directory: %w", mp.ErrNotFound)
	case err != nil:
		return nil, bad("%w", err)
	case !info.IsDir():
		return nil, bad("it is not a directory")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, bad("%w", err)
	}
	return root, nil
}

func packFiles(files map[string]archive.File) (_ *os.File, err error) {
	f, err := newMemory()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	w := bufio.NewWriterSize(f, 64<<10)
	if err := archive.Write(w, files); err != nil {
		return nil, &badError{err}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	return f, seal(f)
}
