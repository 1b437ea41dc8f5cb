package supervisor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
)

// stream says which of a native program's three descriptors one is.
type stream struct {
	name  string
	write bool
}

var streams = [3]stream{{"standard input", false}, {"standard output", true}, {"standard error", true}}

// Numbers of file systems (linux/magic.h) and of the devices of pseudoterminal
// slaves (Documentation/admin-guide/devices.txt: majors 136 to 143).
const (
	pipeFS      = 0x50495045
	devptsFS    = 0x1cd1
	ptsMajor    = 136
	ptsMajorEnd = 144
)

// checkStdio accepts nothing as a program's standard input and output but what
// leads nowhere else: pipes, and with tty terminals that somebody made for it.
// A file, a directory, a device or a socket would be a way out of its root.
func checkStdio(files []*os.File, tty bool) error {
	for n, f := range files {
		if err := checkStream(f, streams[n], tty, tty && n == 0); err != nil {
			return fmt.Errorf("%w: the program's %s %w", control.ErrBadRequest, streams[n].name, err)
		}
	}
	return nil
}

// checkStream looks at one descriptor. must has it be a terminal.
func checkStream(f *os.File, s stream, tty, must bool) error {
	terminal, err := kindOf(f, s)
	switch {
	case err != nil:
		return err
	case terminal && !tty:
		return errors.New("is a terminal: ask for one with tty, or pass a pipe")
	case !terminal && must:
		return errors.New("is a pipe: with tty it must be a terminal (the slave of a pseudoterminal)")
	}
	return nil
}

// kindOf tells terminals from pipes, and refuses everything else.
func kindOf(f *os.File, s stream) (terminal bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	outer := raw.Control(func(fd uintptr) { terminal, err = kindOfFD(int(fd), s) })
	return terminal, errors.Join(outer, err)
}

func kindOfFD(fd int, s stream) (terminal bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return false, fmt.Errorf("cannot be looked at: %w", err)
	}
	var st unix.Stat_t
	var fs unix.Statfs_t
	if err := errors.Join(unix.Fstat(fd, &st), unix.Fstatfs(fd, &fs)); err != nil {
		return false, fmt.Errorf("cannot be looked at: %w", err)
	}
	major := unix.Major(uint64(st.Rdev))
	switch kind := st.Mode & unix.S_IFMT; {
	case flags&unix.O_PATH != 0:
		return false, errors.New("is open as a mere path (O_PATH)")
	case kind == unix.S_IFDIR:
		return false, errors.New("is a directory; only pipes and terminals are passed on")
	case kind == unix.S_IFIFO && fs.Type == pipeFS:
	case kind == unix.S_IFCHR && fs.Type == devptsFS && major >= ptsMajor && major < ptsMajorEnd:
		terminal = true
	default:
		return false, fmt.Errorf("is %s; only pipes and terminals are passed on", kindName(kind))
	}
	if access := flags & unix.O_ACCMODE; access != unix.O_RDWR && (access == unix.O_WRONLY) != s.write {
		return false, errors.New("is open for the other direction")
	}
	return terminal, nil
}

func kindName(kind uint32) string {
	switch kind {
	case unix.S_IFREG:
		return "a file"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFIFO:
		return "a FIFO with a name"
	case unix.S_IFBLK, unix.S_IFCHR:
		return "a device"
	}
	return "something else"
}

// checkRoot makes sure that what is to be a program's root is a directory.
func checkRoot(f *os.File) error {
	info, err := f.Stat()
	if err == nil && !info.IsDir() {
		err = errors.New("it is no directory")
	}
	if err != nil {
		return fmt.Errorf("%w: cannot use what came as the program's root: %w", control.ErrBadRequest, err)
	}
	return nil
}
