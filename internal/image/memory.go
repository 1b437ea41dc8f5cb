package image

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// seals make a memory file immutable: no write, no other size, no seal undone.
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// NewMemory makes an empty memory file that Seal takes, and that nobody can
// execute. Kernels before 6.3 lack MFD_NOEXEC_SEAL; there it only never is.
func NewMemory(name string) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("mpsupervisor-"+name, flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("mpsupervisor-"+name, flags)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot make a memory file: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Seal makes a memory file immutable for everybody, and returns it opened anew,
// read-only. It takes f over.
func Seal(f *os.File) (*os.File, error) {
	defer f.Close()
	if err := control(f, func(fd uintptr) error {
		_, err := unix.FcntlInt(fd, unix.F_ADD_SEALS, seals)
		return err
	}); err != nil {
		return nil, fmt.Errorf("cannot seal a memory file: %w", err)
	}
	return Reopen(f)
}

// Reopen opens a memory file once more, read-only, with an offset and flags of
// its own.
func Reopen(f *os.File) (r *os.File, err error) {
	err = control(f, func(fd uintptr) error {
		r, err = os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open a memory file again: %w", err)
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

// size is how long a file is.
func size(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
