package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// What a terminal is told (xterm's ctlseqs; every terminal of today obeys).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // alternate screen, no cursor, no wrapping
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	homeCursor  = "\x1b[H"
	clearLine   = "\x1b[K" // to its end
	clearBelow  = "\x1b[J"
	reverse     = "\x1b[7m"
	bold        = "\x1b[1m"
	plain       = "\x1b[0m"
)

// screen is a terminal that is drawn on as a whole. From enter to leave it is
// in raw mode and shows its alternate screen; whoever enters it sees to it that
// it is left, whatever happens.
type screen struct {
	in, out *os.File

	mu    sync.Mutex
	saved *term.State // nil while it is left
}

// newScreen tells whether there is a terminal at both ends.
func newScreen(in, out any) (*screen, error) {
	i, iok := in.(*os.File)
	o, ook := out.(*os.File)
	if !iok || !ook || !term.IsTerminal(int(i.Fd())) || !term.IsTerminal(int(o.Fd())) {
		return nil, fmt.Errorf("it needs a terminal for input and output; mpsupervisor stats prints the same once, and with -o json for programs")
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return nil, fmt.Errorf("the terminal (TERM=%s) cannot be drawn on; mpsupervisor stats prints the same once", t)
	}
	return &screen{in: i, out: o}, nil
}

func (s *screen) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved, err := term.MakeRaw(int(s.in.Fd()))
	if err != nil {
		return fmt.Errorf("cannot take over the terminal: %w", err)
	}
	s.saved = saved
	_, err = s.out.WriteString(enterScreen)
	return err
}

// leave puts the terminal back as it was. It may be called again.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved == nil {
		return
	}
	s.out.WriteString(plain + leaveScreen)
	term.Restore(int(s.in.Fd()), s.saved) // a terminal that is gone needs none
	s.saved = nil
}

// guarded runs f in a goroutine that leaves the screen if f panics.
func (s *screen) guarded(f func()) { go s.guard(f) }

// guard runs f. A panic in a goroutine ends the process without what main
// defers, so the screen is left here, and the panic goes on.
func (s *screen) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.leave()
			panic(r)
		}
	}()
	f()
}

// size gives columns and lines; a terminal that does not tell has 80 and 24.
func (s *screen) size() (width, height int) {
	w, h, err := term.GetSize(int(s.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}

// draw shows lines in the place of what was there.
func (s *screen) draw(lines []string) error {
	var b strings.Builder
	b.WriteString(homeCursor)
	for i, l := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(l + plain + clearLine)
	}
	b.WriteString(clearBelow)
	_, err := s.out.WriteString(b.String())
	return err
}

// suspend leaves the screen, stops this process as Ctrl-Z does, and comes back
// when it is continued.
func (s *screen) suspend() error {
	s.leave()
	if err := stopHere(); err != nil {
		return errors.Join(err, s.enter())
	}
	return s.enter()
}

// stopHere does what SIGTSTP does to a process that does not take it: it stops,
// unless nobody would be there to continue it. The signal goes to this very
// thread, so that it has acted when the call returns (signal(7)). That the signal
// is not taken is a matter for the kernel: signal.Reset leaves Go's handler for
// it in place, which does nothing.
func stopHere() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var usual, ours sigaction
	if err := replaceAction(unix.SIGTSTP, &usual, &ours); err != nil {
		return fmt.Errorf("cannot stop: %w", err)
	}
	err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGTSTP)
	return errors.Join(err, replaceAction(unix.SIGTSTP, &ours, nil))
}

// sigaction has room for the kernel's struct of that name: handler, flags,
// restorer and mask. All zero it is SIG_DFL.
type sigaction [4]uint64

// replaceAction sets what a signal does (rt_sigaction(2)).
func replaceAction(sig unix.Signal, to, from *sigaction) error {
	const maskSize = 8
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(from)), maskSize, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// keys reads the terminal until stop is readable, and hands on what was typed.
func (s *screen) keys(stop *os.File, typed chan<- []byte) {
	fds := []unix.PollFd{{Fd: int32(s.in.Fd()), Events: unix.POLLIN}, {Fd: int32(stop.Fd()), Events: unix.POLLIN}}
	defer close(typed)
	for {
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents == 0 {
			continue
		}
		b := make([]byte, 64)
		n, err := s.in.Read(b)
		if err != nil {
			return
		}
		typed <- b[:n]
	}
}
