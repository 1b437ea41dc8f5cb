package ipctest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/ipc/ipctest"
)

// With this in the environment, the test binary is the echoing process.
const armVariable = "IPCTEST_ECHO"

func TestMain(m *testing.M) {
	if arm := os.Getenv(armVariable); arm != "" {
		os.Exit(echoMain(ipctest.Arm(arm)))
	}
	os.Exit(m.Run())
}

func echoMain(arm ipctest.Arm) int {
	f, err := ipc.File(3)
	if err == nil {
		err = arm.Echo(context.Background(), f)
	}
	if err != io.EOF {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// BenchmarkRoundTrip calls two echoing processes in turn, one an arm, that have
// one processor each, as a worker has. Medians and their ratio are reported:
// both arms meet whatever else the machine does.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{128, 4 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) { compare(b, size) })
	}
}

func compare(b *testing.B, size int) {
	arms := []*timed{newTimed(b, ipctest.Plain), newTimed(b, ipctest.Encrypted)}
	body := make([]byte, size)
	for i := 0; b.Loop(); i++ {
		arms[i&1].call(b, body)
		arms[i&1^1].call(b, body)
	}
	plain, encrypted := arms[0].median(), arms[1].median()
	b.ReportMetric(float64(plain)/1e3, "plain-µs")
	b.ReportMetric(float64(encrypted)/1e3, "encrypted-µs")
	b.ReportMetric(float64(encrypted)/float64(plain), "ratio")
	for _, a := range arms {
		a.conn.Close()
		a.wait()
	}
}

// timed is one arm and how long each of its calls took.
type timed struct {
	conn *ipc.Conn
	wait func()
	took []time.Duration
}

func newTimed(b *testing.B, arm ipctest.Arm) *timed {
	c, wait := process(b, arm)
	return &timed{conn: c, wait: wait}
}

func (a *timed) call(b *testing.B, body []byte) {
	start := time.Now()
	if _, err := a.conn.Call(b.Context(), body); err != nil {
		b.Fatal(err)
	}
	a.took = append(a.took, time.Since(start))
}

func (a *timed) median() time.Duration {
	slices.Sort(a.took)
	return a.took[len(a.took)/2]
}

// process opens a channel to an echoing process.
func process(tb testing.TB, arm ipctest.Arm) (c *ipc.Conn, wait func()) {
	tb.Helper()
	ours, theirs, err := ipc.Pair()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), armVariable+"="+string(arm), "GOMAXPROCS=1")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	theirs.Close()
	if c, err = arm.Open(context.Background(), ours, ipc.Config{Initiator: true}); err != nil {
		tb.Fatal(err)
	}
	return c, func() {
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	}
}

// Both arms work between two processes.
func TestEcho(t *testing.T) {
	for _, arm := range []ipctest.Arm{ipctest.Plain, ipctest.Encrypted} {
		c, wait := process(t, arm)
		got, err := c.Call(t.Context(), []byte("hello"))
		if string(got) != "hello" || err != nil {
			t.Errorf("%s: got %q, %v", arm, got, err)
		}
		c.Close()
		wait()
	}
}
