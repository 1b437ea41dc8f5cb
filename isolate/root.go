package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"golang.org/x/sys/unix"
)

// furnish puts the root of a native program together, where this process and
// then the worker's start see it: its directory, read-only, under a skeleton of
// mount points, and a /tmp of its own.
//
// The skeleton lies over the program's directory, not in it. So /proc, /dev and
// /tmp are directories of ours, whatever the program's directory has by those
// names and whoever renames in it meanwhile, and the root itself can be passed
// by the worker's user, whatever the directory's mode is.
func (l *Launcher) furnish(s Spec) (err error) {
	if err := l.noNatives(); err != nil {
		return err
	}
	root, err := reopen(s.Native.Root)
	if err != nil {
		return fmt.Errorf("cannot use root directory: %w", err)
	}
	defer root.Close()
	place := l.place(s.ID)
	if err := os.Mkdir(place, 0o755); err != nil {
		return fmt.Errorf("cannot make mount point: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.strip(s.ID))
		}
	}()
	loose, flags := slices.Contains(s.Without, lock.ReadOnlyRoot), uintptr(tmpFlags)
	if loose {
		flags &^= unix.MS_NOEXEC
	}
	if err := l.overlay(root, place, loose); err != nil {
		return err
	}
	// Whose user ids its files have: root of the worker's namespace.
	uid := l.conf.uid(s.Slot)
	data := fmt.Sprintf("mode=1777,uid=%d,gid=%d,%s", uid, uid, tmpSize(s.Native.TmpBytes, s.Native.TmpFiles))
	if err := unix.Mount("tmp", filepath.Join(place, "tmp"), "tmpfs", flags, data); err != nil {
		return fmt.Errorf("cannot mount /tmp: %w", err)
	}
	return nil
}

// overlay mounts the skeleton over a directory. Both are named by descriptors:
// a path may hold what mount options are parted by.
//
// The options turn off what overlayfs would do for extended attributes that
// somebody may have left on the directory's files.
func (l *Launcher) overlay(root *os.File, place string, loose bool) error {
	data := fmt.Sprintf("lowerdir=%s:%s,redirect_dir=nofollow,metacopy=off,index=off", link(l.bones), link(root))
	if loose {
		return loosenNative(place, data)
	}
	switch err := unix.Mount("root", place, "overlay", locked, data); err {
	case nil:
		return nil
	case unix.ENODEV:
		return lock.Missing(lock.ReadOnlyRoot, "cannot mount root: the kernel has no overlayfs (CONFIG_OVERLAY_FS, module overlay)")
	case unix.EINVAL:
		return fmt.Errorf("cannot mount root: %w (its file system cannot be below an overlay, or is one of overlays already)", err)
	default:
		return fmt.Errorf("cannot mount root: %w", err)
	}
}

// link is the name by which this process sees a file that it has open.
func link(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// strip takes the root of a native program away. Nothing there is no error.
func (l *Launcher) strip(id string) error {
	place := l.place(id)
	for range 2 { // in a control run there is one more below it
		if err := unmount(place); err != nil {
			return err
		}
	}
	if err := os.Remove(place); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot remove mount point: %w", err)
	}
	return nil
}

// reopen opens a directory that somebody else has opened, by its name. It was
// opened in another mount namespace, and the kernel mounts only what is in
// ours. Whether the name still means the same directory, and means it here as
// well, is seen by its inode.
func reopen(f *os.File) (*os.File, error) {
	want, err := identify(f)
	if err != nil {
		return nil, err
	}
	name, err := os.Readlink(link(f))
	if err != nil {
		return nil, err
	}
	if !filepath.IsAbs(name) {
		return nil, fmt.Errorf("%.200q is not below the launcher's root", name)
	}
	fd, err := unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%.200q, as the launcher sees it: %w", name, err)
	}
	here := os.NewFile(uintptr(fd), name)
	got, err := identify(here)
	if err == nil && got != want {
		err = fmt.Errorf("%.200q is another directory, as the launcher sees it", name)
	}
	if err != nil {
		here.Close()
		return nil, err
	}
	return here, nil
}

// inode is what tells a file from every other.
type inode struct{ dev, ino uint64 }

// identify tells which directory f is.
func identify(f *os.File) (inode, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return inode{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return inode{}, unix.ENOTDIR
	}
	return inode{uint64(st.Dev), st.Ino}, nil
}
