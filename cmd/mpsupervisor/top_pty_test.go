package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with somebody in front of it who sees what a
// program draws.
type terminal struct {
	*testing.T
	master, slave *os.File
	modes         unix.Termios // before the program

	mu    sync.Mutex
	glass glass
	raw   strings.Builder
}

func atTerminal(t *testing.T, columns, lines uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{T: t, master: master, slave: slave}
	term.resize(columns, lines)
	term.modes = term.now()
	go term.watch()
	t.Cleanup(func() {
		slave.Close()
		master.Close()
	})
	return term
}

func (t *terminal) resize(columns, lines uint16) {
	t.mu.Lock()
	t.glass = newGlass(int(columns), int(lines))
	t.mu.Unlock()
	if err := unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

func (t *terminal) now() unix.Termios {
	modes, err := unix.IoctlGetTermios(int(t.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *modes
}

func (t *terminal) watch() {
	b := make([]byte, 64<<10)
	for {
		n, err := t.master.Read(b)
		if err != nil {
			return
		}
		t.mu.Lock()
		t.raw.Write(b[:n])
		t.glass.write(string(b[:n]))
		t.mu.Unlock()
	}
}

func (t *terminal) typed(keys string) {
	if _, err := t.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// until waits for what is seen to be as it should. seen holds the lock.
func (t *terminal) until(what string, seen func(string) bool) {
	t.Helper()
	var text string
	for range 1000 {
		t.mu.Lock()
		text = t.glass.text()
		is := seen(text)
		t.mu.Unlock()
		if is {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s is not seen:\n%s", what, text)
}

func (t *terminal) sees(what string) {
	t.Helper()
	t.until(what, func(text string) bool { return strings.Contains(text, what) })
}

// start runs top with the terminal as its own.
func (t *terminal) start(socket string, args ...string) *exec.Cmd {
	t.Helper()
	return t.run("mpsupervisor", append([]string{"--socket", socket, "top"}, args...)...)
}

// run starts a command as the leader of a session on the terminal.
func (t *terminal) run(name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "GORACE=atexit_sleep_ms=0")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.slave, t.slave, t.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// expectRestored waits for the end, and looks whether the terminal is as before.
func (t *terminal) expectRestored(cmd *exec.Cmd, status int) {
	t.Helper()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Errorf("exit status %d, want %d", got, status)
	}
	if t.now() != t.modes {
		t.Error("the terminal's modes are not what they were")
	}
	t.until("the shell's own screen", func(string) bool { return !t.glass.alternate && !t.glass.hidden && !t.glass.noWrap })
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := strings.IndexAny(t.raw.String(), "\a\u009b\u202e"); i >= 0 || strings.Contains(t.raw.String(), "\x1b[2J") || strings.Contains(t.raw.String(), "\x1b]") {
		t.Errorf("printed as it is: %q", t.raw.String()[max(i, 0):])
	}
	if t.glass.wrong != "" {
		t.Errorf("drawn wrongly: %s", t.glass.wrong)
	}
}

func TestTopOnATerminal(t *testing.T) {
	var d deeds
	socket := serveWatched(t, &d)
	term := atTerminal(t, 160, 12)
	cmd := term.start(socket, "--interval", "100ms")
	term.sees("3 programs, 1 frozen  cpu 0.62  memory 51.0 MiB")
	if term.now() == term.modes {
		t.Error("the terminal is not in raw mode")
	}
	order := func(first, second string) func(string) bool {
		return func(text string) bool {
			i, j := strings.Index(text, first), strings.Index(text, second)
			return i >= 0 && j > i
		}
	}
	term.until("the burner first", order("bbcdefghijkm", "abcdefghijkm"))
	term.typed("m")
	term.until("the most memory first", order("abcdefghijkm", "bbcdefghijkm"))
	term.typed("r")
	term.until("it last", order("bbcdefghijkm", "abcdefghijkm"))
	term.typed("rg")
	term.typed("f")
	term.sees("froze abcdefghijkm")
	term.typed("\x1b[Bf")
	term.sees("thawed bbcdefghijkm")
	term.typed("kx")
	term.sees("End abcdefghijkm (com.example.loan)? y ends it")
	term.typed("n")
	term.until("no question", func(text string) bool { return !strings.Contains(text, "y ends it") })
	term.typed("xy")
	term.sees("ended abcdefghijkm")
	term.typed("?")
	term.sees("Any key goes back.")
	term.typed(" ")
	term.sees("q quit")
	term.resize(60, 8)
	term.until("no more than fits", func(text string) bool {
		return strings.HasPrefix(text, "mpsupervisor") && strings.Contains(text, "…") && strings.Contains(text, "q quit  ? help")
	})
	term.typed("q")
	term.expectRestored(cmd, 0)
	if got := strings.Join(d.all(), ", "); got != "freeze abcdefghijkm, thaw bbcdefghijkm, kill abcdefghijkm" {
		t.Errorf("did %q", got)
	}
}

func TestTopRestoresTheTerminal(t *testing.T) {
	socket := serveCanned(t)
	for name, end := range map[string]struct {
		do     func(*terminal, *exec.Cmd)
		status int
	}{
		"Ctrl-C":  {func(term *terminal, _ *exec.Cmd) { term.typed("\x03") }, 0},
		"SIGINT":  {func(_ *terminal, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGINT) }, 130},
		"SIGTERM": {func(_ *terminal, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) }, 143},
		"SIGHUP":  {func(_ *terminal, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGHUP) }, 129},
		"SIGQUIT": {func(_ *terminal, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGQUIT) }, 131},
	} {
		t.Run(name, func(t *testing.T) {
			term := atTerminal(t, 80, 24)
			cmd := term.start(socket)
			term.sees("3 programs")
			end.do(term, cmd)
			term.expectRestored(cmd, end.status)
		})
	}
}

// TestTopIsSuspended stops it as a shell with job control does, and lets it go on.
func TestTopIsSuspended(t *testing.T) {
	term := atTerminal(t, 80, 24)
	cmd := term.start(serveCanned(t))
	term.sees("3 programs")
	if err := cmd.Process.Signal(syscall.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	// Its process group is an orphan, which SIGTSTP does not stop (signal(7)):
	// it leaves the screen and comes back.
	term.until("leaving and coming back", func(string) bool { return strings.Count(term.raw.String(), enterScreen) == 2 })
	term.sees("3 programs")
	term.typed("q")
	term.expectRestored(cmd, 0)
}

// TestTopStopsAtCtrlZ has a shell with job control get its terminal back at
// Ctrl-Z, and hand it over again.
func TestTopStopsAtCtrlZ(t *testing.T) {
	term := atTerminal(t, 80, 24)
	cmd := term.run("sh", "-c", `set -m; mpsupervisor --socket "$1" top; echo stopped $?; read -r _; fg; echo ended $?`, "sh", serveCanned(t))
	printed := func(what string) { // below the screen that the glass keeps
		t.Helper()
		term.until(what, func(string) bool { return strings.Contains(term.raw.String(), what) })
	}
	term.sees("3 programs")
	term.typed("\x1a")
	printed("stopped 148")
	term.typed("\n")
	term.until("coming back", func(string) bool {
		drawn := strings.Split(term.raw.String(), enterScreen)
		return len(drawn) == 3 && strings.Contains(drawn[2], "3 programs")
	})
	term.typed("q")
	printed("ended 0")
	cmd.Wait()
	if term.now() != term.modes {
		t.Error("the terminal's modes are not what they were")
	}
}

// TestTopPanics makes sure that the trace of a panic is read on a terminal
// that works, wherever the panic was.
func TestTopPanics(t *testing.T) {
	term := atTerminal(t, 80, 24)
	s := &screen{in: term.slave, out: term.slave}
	if err := s.enter(); err != nil {
		t.Fatal(err)
	}
	if term.now() == term.modes {
		t.Error("the terminal is not in raw mode")
	}
	func() {
		defer func() { recover() }()
		s.guard(func() { panic("on purpose") })
	}()
	if term.now() != term.modes {
		t.Error("the terminal's modes are not what they were")
	}
	term.until("the shell's own screen", func(string) bool { return !term.glass.alternate && !term.glass.hidden })
}

func TestTopNeedsATerminal(t *testing.T) {
	o := invoke(serveCanned(t), "", "top")
	if o.status != 125 || o.out != "" || !strings.Contains(o.err, "needs a terminal") || !strings.Contains(o.err, "mpsupervisor stats") {
		t.Errorf("%+v", o)
	}
	if o := invoke(serveCanned(t), "", "top", "--interval", "1ms"); o.status != 125 || !strings.Contains(o.err, "--interval 1ms is not between") {
		t.Errorf("%+v", o)
	}
}

// TestTopWithoutADaemon does not touch the terminal.
func TestTopWithoutADaemon(t *testing.T) {
	term := atTerminal(t, 200, 24)
	cmd := term.start(t.TempDir() + "/none.sock")
	term.sees("cannot show top: no daemon answers")
	term.expectRestored(cmd, 125)
	if strings.Contains(term.raw.String(), "\x1b") {
		t.Errorf("%q", term.raw.String())
	}
}
