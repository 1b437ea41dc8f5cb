package native

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// terminal opens a new one (pty(7)).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	return master, slave
}

// dup is the slave three times: each is closed by itself.
func dup(t *testing.T, f *os.File) []*os.File {
	files := []*os.File{f}
	for range 2 {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, os.NewFile(uintptr(fd), f.Name()))
	}
	return files
}

func TestTerminal(t *testing.T) {
	master, slave := terminal(t)
	p := program("busybox", "sh", "-c", `trap 'echo interrupted; exit 8' INT; echo ready >/dev/tty; while :; do sleep 0.1; done`)
	p.Exec.Stdio, p.Exec.TTY = dup(t, slave), true
	b := mustStart(t, p)
	in := bufio.NewScanner(master)
	if in.Scan(); strings.TrimSpace(in.Text()) != "ready" {
		t.Fatalf("%q", in.Text())
	}
	master.WriteString("\x03") // the terminal makes SIGINT of it
	for in.Scan() && !strings.Contains(in.Text(), "interrupted") {
	}
	if x := b.ended(); x.Code != 8 {
		t.Error(x)
	}
}

func TestNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	p := program("busybox", "true")
	p.Exec.Stdio, p.Exec.TTY = dup(t, null), true
	if _, err := start(t, p); err == nil || !strings.Contains(err.Error(), "no terminal") {
		t.Error(err)
	}
}
