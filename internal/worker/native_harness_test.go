package worker_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// beginNative is a sealed worker of the role native.
func beginNative(t testing.TB) *host {
	t.Helper()
	h := begin(t, variation{args: []string{"native"}})
	h.sealed <- h.waitSealed()
	return h
}

// bootNative executes a program.
func (h *host) bootNative(n wire.Native, files ...*os.File) error {
	m := &wire.Boot{AppID: "com.example.test", UnixNano: time.Now().UnixNano(),
		Heap: 24 << 20, TurnMillis: 2000, ResultBytes: wire.MaxResult, LogRate: 200, IPCRate: 1000, Native: &n}
	var reply wire.Booted
	return h.request(context.Background(), wire.MethodBoot, m, &reply, files...)
}

// startNative is a worker with a native program.
func startNative(t testing.TB, args ...string) *host {
	t.Helper()
	h := beginNative(t)
	if err := h.bootNative(wire.Native{Args: args}); err != nil {
		// It has ended, or would not boot: then this kills it.
		t.Fatalf("%v; %s", err, h.autopsy())
	}
	return h
}

// autopsy says how a worker ended that should not have, and what it printed. One
// that has not ended is killed.
func (h *host) autopsy() string {
	h.conn.Close()
	s := h.wait()
	return fmt.Sprintf("wait status %#x (signal %v, exit code %d); %s", int(s), s.Signal(), s.ExitStatus(), &h.stderr)
}

func shell(t testing.TB, script string) *host {
	t.Helper()
	return startNative(t, "sh", "-c", script)
}

// waitLog waits for a line of the log, which begins with its level.
func (h *host) waitLog(line string) {
	h.t.Helper()
	for range 3000 {
		if strings.Contains("\n"+h.log(), "\n"+line+"\n") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatalf("%q was not logged:\n%s%s", line, h.log(), &h.stderr)
}

// wantEnd waits for the end of a worker and looks at its last word and at its
// exit code.
func (h *host) wantEnd(want wire.Ending, code int) {
	h.t.Helper()
	status := h.wait()
	<-h.conn.Done() // what it sent has been read
	select {
	case got := <-h.ending:
		if !strings.Contains(got.Detail, want.Detail) {
			h.t.Errorf("detail %q, want %q", got.Detail, want.Detail)
		}
		if got.Detail = want.Detail; got != want {
			h.t.Errorf("ending %+v, want %+v", got, want)
		}
	default:
		h.t.Errorf("there was no Ending; %s", &h.stderr)
	}
	if status.ExitStatus() != code {
		h.t.Errorf("status %#x, want exit code %d; %s", status, code, &h.stderr)
	}
}

func (h *host) signal(number int) error {
	return h.request(context.Background(), wire.MethodSignal, &wire.Signal{Number: number}, &wire.Done{})
}

// terminal opens a new one (pty(7)).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
