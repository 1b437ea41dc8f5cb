package probe

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const nativePrograms = "native programs"

// natives are what takes a native program, and no other. A start without them is
// refused by the name of the lock that they make up, the read-only root.
var natives = []feature{
	{nativePrograms, "overlayfs", true, "the read-only root of a native program; JavaScript programs do without",
		"CONFIG_OVERLAY_FS=y, or modprobe overlay; in a container, the right to mount it", asRoot(child("overlayfs", "can be mounted on tmpfs"))},
	{nativePrograms, "devices", true, "/dev/null and its kind for a native program; JavaScript programs do without",
		"give the container that this runs in CAP_MKNOD, and its device cgroup the devices 1:3, 1:5, 1:7, 1:8 and 1:9",
		asRoot(child("devices", "can be made and used"))},
}

// scratch gives the child an empty file system in memory, where nobody else is,
// in place of a directory that every host has.
func scratch() (dir string, err error) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return "", fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return "", fmt.Errorf("mount: %w", err)
	}
	dir = "/dev"
	if err := unix.Mount("probe", dir, "tmpfs", unix.MS_NOSUID, ""); err != nil {
		return "", fmt.Errorf("mount tmpfs: %w", err)
	}
	return dir, nil
}

// childOverlay looks for a file of the lower of two directories in both.
func childOverlay() error {
	dir, err := scratch()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(dir+"/upper", 0o755), os.Mkdir(dir+"/lower", 0o755), os.Mkdir(dir+"/both", 0o755),
		os.WriteFile(dir+"/lower/file", nil, 0o644)); err != nil {
		return err
	}
	const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV
	options := fmt.Sprintf("lowerdir=%[1]s/upper:%[1]s/lower,redirect_dir=nofollow,metacopy=off,index=off", dir)
	if err := unix.Mount("probe", dir+"/both", "overlay", flags, options); err != nil {
		return fmt.Errorf("mount overlay: %w", err)
	}
	_, err = os.Stat(dir + "/both/file")
	return err
}

// childDevices makes a null device and writes to it.
func childDevices() error {
	dir, err := scratch()
	if err != nil {
		return err
	}
	null := dir + "/null"
	if err := unix.Mknod(null, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return fmt.Errorf("mknod: %w", err)
	}
	return os.WriteFile(null, []byte("nothing"), 0)
}
