package native

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// wiring is the descriptors between this process and the program.
type wiring struct {
	theirs  []int    // the program's 0, 1, 2 and hostFD
	host    *os.File // our end of the bridge
	outputs []output // what the program prints, if that comes to us
	stdio   []*os.File
}

// output is our end of one of the program's outputs, and the level of its lines.
type output struct {
	file  *os.File
	level string
}

// newWiring opens what lies between, and takes x's Stdio over. All of it closes
// at an execve(2) but what spawn hands on.
func newWiring(x *engine.Exec) (_ *wiring, err error) {
	w := &wiring{stdio: x.Stdio}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if len(x.Stdio) > 0 {
		w.give()
	} else if err := w.openOutputs(); err != nil {
		return nil, fmt.Errorf("cannot make the program's standard output: %w", err)
	}
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, fmt.Errorf("cannot make the program's host descriptor: %w", err)
	}
	w.host, w.theirs = ours, append(w.theirs, theirs)
	return w, nil
}

// give hands on the descriptors that came for the program: blocking ones, as
// programs expect.
func (w *wiring) give() {
	for _, f := range w.stdio {
		fd := int(f.Fd())
		syscall.SetNonblock(fd, false) // cannot fail: it is open
		w.theirs = append(w.theirs, fd)
	}
}

// openOutputs gives the program an empty input, and outputs that come to us.
func (w *wiring) openOutputs() error {
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	w.theirs = append(w.theirs, null)
	for _, level := range []string{"info", "error"} {
		r, theirs, err := pipe()
		if err != nil {
			return err
		}
		w.theirs = append(w.theirs, theirs)
		w.outputs = append(w.outputs, output{r, level})
	}
	return nil
}

// pipe returns an end to read from that is waited for without a thread, and one
// to write to, which blocks: the program has it.
func pipe() (*os.File, int, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, 0, os.NewSyscallError("pipe2", err)
	}
	return polled(p[0], "output"), p[1], nil
}

func socketpair() (*os.File, int, error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, os.NewSyscallError("socketpair", err)
	}
	return polled(p[0], "bridge"), p[1], nil
}

// polled makes a file of a descriptor that no thread blocks on.
func polled(fd int, name string) *os.File {
	syscall.SetNonblock(fd, true) // cannot fail: the descriptor is ours
	return os.NewFile(uintptr(fd), name)
}

// closeTheirs closes the program's ends, so that its own are the last.
func (w *wiring) closeTheirs() {
	theirs := w.theirs
	if w.stdio != nil {
		theirs = theirs[len(w.stdio):]
	}
	for _, fd := range theirs {
		unix.Close(fd)
	}
	for _, f := range w.stdio {
		f.Close()
	}
}

func (w *wiring) close() {
	w.closeTheirs()
	if w.host != nil {
		w.host.Close()
	}
	for _, o := range w.outputs {
		o.file.Close()
	}
}
