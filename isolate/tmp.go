package isolate

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ResizeTmp changes how many bytes and inodes the /tmp of a native program can
// hold (tmpfs(5)). Less than what is in it already is refused.
func (w *Worker) ResizeTmp(bytes, files int64) error {
	if w.tmp == "" {
		return errors.New("cannot resize /tmp: the worker has none")
	}
	if err := unix.Mount("", w.tmp, "", unix.MS_REMOUNT|tmpFlags, tmpSize(bytes, files)); err != nil {
		return fmt.Errorf("cannot resize /tmp to %d bytes in %d files: %w", bytes, files, w.tmpInUse(bytes, files, err))
	}
	return nil
}

// tmpInUse says of a refusal that more is in use, if that is why. A directory is
// a file, too, and the file system's own is one of them.
func (w *Worker) tmpInUse(bytes, files int64, err error) error {
	var st unix.Statfs_t
	if !errors.Is(err, unix.EINVAL) || unix.Statfs(w.tmp, &st) != nil {
		return err
	}
	usedBytes, usedFiles := int64(st.Blocks-st.Bfree)*st.Bsize, int64(st.Files-st.Ffree)
	if usedBytes <= bytes && usedFiles <= files {
		return err
	}
	return fmt.Errorf("%d bytes in %d files are in use: give as much or more, or have the program remove files first", usedBytes, usedFiles)
}

// tmpFlags are those of the mount on /tmp: what is written there is data.
const tmpFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

func tmpSize(bytes, files int64) string { return fmt.Sprintf("size=%d,nr_inodes=%d", bytes, files) }
