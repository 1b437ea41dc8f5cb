package bundle

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// seals make a memory file immutable: no write, no other size, no seal undone.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// newMemory makes an empty memory file that can be sealed and not executed.
// Kernels before 6.3 lack MFD_NOEXEC_SEAL; there it is only never executed.
func newMemory() (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("mpsupervisor-package", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("mpsupervisor-package", flags)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a memory file: %w", err)
	}
	return os.NewFile(uintptr(fd), "package"), nil
}

// seal makes f immutable for everybody (fcntl(2), F_ADD_SEALS).
func seal(f *os.File) error {
	return control(f, func(fd uintptr) error {
		if _, err := unix.FcntlInt(fd, unix.F_ADD_SEALS, seals); err != nil {
			return fmt.Errorf("cannot seal the package: %w", err)
		}
		return nil
	})
}

// checkSealed establishes that the content of f can never change again. Only
// memory files can have these seals, so f is one, and reading it cannot block.
func checkSealed(f *os.File) error {
	return control(f, func(fd uintptr) error {
		have, err := unix.FcntlInt(fd, unix.F_GET_SEALS, 0)
		switch {
		case errors.Is(err, unix.EINVAL):
			return bad("the package is not a memory file: it cannot be sealed, and so could change under its reader")
		case err != nil:
			return fmt.Errorf("cannot read the package's seals: %w", err)
		case have&seals != seals:
			return bad("the package is not sealed against write, shrink, grow and seal (it has %#x, wanted %#x)", have, seals)
		}
		return nil
	})
}

// reopen opens the memory file of f once more, read-only, with an offset and
// flags of its own, so that two readers cannot disturb each other.
func reopen(f *os.File) (r *os.File, err error) {
	err = control(f, func(fd uintptr) error {
		r, err = os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open the package again: %w", err)
	}
	return r, nil
}

// control calls do with f's descriptor, which stays open meanwhile.
func control(f *os.File, do func(fd uintptr) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(fd) }); err != nil {
		return err
	}
	return inner
}
