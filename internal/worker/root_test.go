package worker_test

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// applets are the names that busybox gets in a root.
var applets = []string{"sh", "cat", "echo", "sleep", "kill", "true", "yes", "tty", "umask", "stty", "id"}

// populate makes a native program's root of a directory: busybox, the attacks,
// and what the launcher would put there. There is no /proc in it.
func populate(root string) error {
	from, err := os.ReadFile("/bin/busybox") // Debian: busybox-static
	if err != nil {
		return err
	}
	bin := filepath.Join(root, "bin")
	errs := []error{os.Mkdir(bin, 0o755), os.WriteFile(filepath.Join(bin, "busybox"), from, 0o755)}
	for _, name := range applets {
		errs = append(errs, os.Symlink("busybox", filepath.Join(bin, name)))
	}
	for _, name := range []string{"proc", "dev", "tmp"} {
		errs = append(errs, os.Mkdir(filepath.Join(root, name), 0o755))
	}
	null := filepath.Join(root, "dev/null")
	errs = append(errs,
		os.Chmod(filepath.Join(root, "tmp"), 0o1777),
		build(filepath.Join(bin, "attack"), "./testdata/attack"))
	if os.Getuid() == 0 { // others skip the tests that need it
		errs = append(errs, unix.Mknod(null, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))), os.Chmod(null, 0o666))
	}
	return errors.Join(errs...)
}
