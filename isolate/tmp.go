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
		return fmt.Errorf("cannot resize /tmp to %d bytes in %d files: %w", bytes, files, err)
	}
	return nil
}

// tmpFlags are those of the mount on /tmp: what is written there is data.
const tmpFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

func tmpSize(bytes, files int64) string { return fmt.Sprintf("size=%d,nr_inodes=%d", bytes, files) }
