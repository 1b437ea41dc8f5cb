package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// isTerminal gives the file of f if that is a terminal.
func isTerminal(f any) (*os.File, bool) {
	file, ok := f.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// newTerminal makes a terminal for the program, a pseudoterminal (pty(7)) of the
// size of own, and makes own raw: every key goes to the program, and what the
// keys mean is the business of its terminal. Errors of this command that are
// written to errs meanwhile get the line ends that a raw terminal needs.
func newTerminal(own *os.File, out io.Writer, errs *lineEnds) (*stdio, error) {
	master, slave, err := openPTY()
	if err != nil {
		return nil, fmt.Errorf("cannot make a terminal for the program: %w", err)
	}
	s := &stdio{
		theirs:  []*os.File{slave, slave, slave},
		in:      master,
		outputs: []*output{{name: "output", from: master, to: out}},
		restore: func() {},
	}
	copySize(own, master)
	old, err := term.MakeRaw(int(own.Fd()))
	if err != nil {
		s.close()
		return nil, fmt.Errorf("cannot make the terminal raw: %w", err)
	}
	errs.raw.Store(true)
	stop := followSize(own, master)
	s.restore = sync.OnceFunc(func() {
		stop()
		errs.raw.Store(false)
		term.Restore(int(own.Fd()), old)
	})
	return s, nil
}

// openPTY makes a pair of terminals. The slave is opened through the master, not
// by its name, which another mount of /dev/pts might have for another.
func openPTY() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	err = onFD(master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return fmt.Errorf("cannot unlock it: %w", err)
		}
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno != 0 {
			return fmt.Errorf("cannot open its other side: %w", errno)
		}
		slave = os.NewFile(n, "terminal")
		return nil
	})
	if err != nil {
		master.Close()
	}
	return master, slave, err
}

// onFD calls f with a descriptor that stays open, and as blocking as it is.
func onFD(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	outer := raw.Control(func(fd uintptr) { err = f(int(fd)) })
	return errors.Join(outer, err)
}

// copySize gives to the size of from. A terminal without one leaves it be.
func copySize(from, to *os.File) {
	size, err := unix.IoctlGetWinsize(int(from.Fd()), unix.TIOCGWINSZ)
	if err == nil {
		onFD(to, func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) })
	}
}

// followSize copies the size at each change, until stop.
func followSize(from, to *os.File) (stop func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	go func() {
		for range changes {
			copySize(from, to)
		}
	}()
	return func() {
		signal.Stop(changes)
		close(changes)
	}
}

// lineEnds writes text for people, with the line ends that a raw terminal needs
// while it is one.
type lineEnds struct {
	io.Writer
	raw atomic.Bool
}

func (l *lineEnds) Write(b []byte) (int, error) {
	if !l.raw.Load() {
		return l.Writer.Write(b)
	}
	if _, err := io.WriteString(l.Writer, strings.ReplaceAll(string(b), "\n", "\r\n")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// foreground reads from a terminal only while this command is in its
// foreground: elsewhere the kernel would stop it for that (SIGTTIN), though the
// program may not want any input.
type foreground struct{ *os.File }

// backgroundPause is how long a command in the background waits before it looks
// again whether it has come to the foreground.
const backgroundPause = 200 * time.Millisecond

func (f foreground) Read(b []byte) (int, error) {
	fd := int(f.Fd())
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); err != nil && err != unix.EINTR {
			return 0, err
		}
		if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || group == unix.Getpgrp() {
			return f.File.Read(b)
		}
		time.Sleep(backgroundPause)
	}
}

// termForm is what a terminal's kind can be called (term(7)).
var termForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$`) })

// termVariable tells the program what kind of terminal it has: this command's.
func termVariable() []string {
	if kind := os.Getenv("TERM"); termForm().MatchString(kind) {
		return []string{"TERM=" + kind}
	}
	return nil
}
