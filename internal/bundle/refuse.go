package bundle

import (
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
)

// changed is the error about a file that was not there, or not the same, when
// it was looked at again. Another reason, such as a missing permission, is
// told as it is.
func changed(name string, err error) error {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ELOOP) && !errors.Is(err, syscall.ENOTDIR) {
		return bad("%w", err)
	}
	if name == "." {
		name = "the directory itself"
	}
	return bad("%s changed while it was read: run again", name)
}

// refuse names what is neither a file nor a directory.
func (t *tree) refuse(name string, info fs.FileInfo) error {
	kind := "special file"
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		return t.refuseLink(name)
	case fs.ModeNamedPipe:
		kind = "FIFO"
	case fs.ModeSocket:
		kind = "socket"
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		kind = "device"
	}
	if archive.BelowRoot(name) {
		return bad("%s is a %s: leave it out; a program gets a /dev and a /tmp of its own, and makes the rest there", name, kind)
	}
	return bad("%s is a %s: only regular files can be in a package", name, kind)
}

// refuseLink says where a symbolic link points, and whether that is outside.
// Where it leads is judged by its text alone: it is not followed.
func (t *tree) refuseLink(name string) error {
	target, err := t.root.Readlink(name)
	if err != nil {
		return changed(name, err)
	}
	leaves := ""
	if path.IsAbs(target) || !fs.ValidPath(path.Join(path.Dir(name), target)) {
		leaves = ", which leaves the package"
	}
	return bad("%s is a symbolic link to %.200q%s: put the file itself there", name, target, leaves)
}
