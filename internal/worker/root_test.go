package worker_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// built is a directory to be a worker's root, with its binary, and the image
// that this wrote. The programs of native workers are in it as well.
var built = sync.OnceValues(func() (struct{ root, image string }, error) {
	var b struct{ root, image string }
	dir, err := os.MkdirTemp("", "worker-test-")
	if err != nil {
		return b, err
	}
	b.root, b.image = filepath.Join(dir, "root"), filepath.Join(dir, "image")
	err = errors.Join(os.Chmod(dir, 0o755), os.Mkdir(b.root, 0o755),
		build(filepath.Join(b.root, "mpworker"), "../../cmd/mpworker"), populate(b.root))
	if err != nil {
		return b, err
	}
	if out, err := exec.Command(filepath.Join(b.root, "mpworker"), "image", b.image).CombinedOutput(); err != nil {
		return b, errors.New(string(out))
	}
	return b, nil
})

func build(out, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

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
