package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The tests run real programs as children of the test: busybox, and this very
// binary in one of its roles.

// roleVariable makes the binary one of the programs in roles.
const roleVariable = "NATIVE_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		roles[role](os.NewFile(hostFD, "host"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// logs is a host that keeps what was logged.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Log(level, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, level+" "+text)
}

// Ask answers app at once and echo with its params, late and in two lines.
func (l *logs) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	switch method {
	case "app":
		done([]byte(`{"id":"com.example.test"}`), nil)
	case "echo":
		time.AfterFunc(time.Millisecond, func() { done(append(params, '\n'), nil) })
	default:
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: fmt.Sprintf("no method %q", method)})
	}
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// bench is a program under test.
type bench struct {
	t testing.TB
	*Engine
	logs *logs
	run  chan error // Run's result
}

// program is one that the engine can run, with limits for tests.
func program(args ...string) engine.Program {
	return engine.Program{
		AppID: "com.example.test", Result: 1 << 20, IPCRate: 1 << 20,
		Exec: &engine.Exec{Args: args},
	}
}

// role is this binary as one of the programs in roles.
func role(t testing.TB, name string) engine.Program {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := program(self)
	p.Exec.Env = []string{roleVariable + "=" + name, "GORACE=atexit_sleep_ms=0"}
	return p
}

// start loads p and, if that works, runs it.
func start(t testing.TB, p engine.Program) (*bench, error) {
	b := &bench{t: t, logs: &logs{}, run: make(chan error, 1)}
	b.Engine = New(b.logs)
	if _, err := b.Load(context.Background(), p); err != nil {
		return b, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.run <- b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-stopped
		b.Close()
		syscall.Kill(-b.child.pid, syscall.SIGKILL) // what it left behind
	})
	return b, nil
}

func mustStart(t testing.TB, p engine.Program) *bench {
	t.Helper()
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shell runs a script of busybox.
func shell(t testing.TB, script string) *bench {
	t.Helper()
	return mustStart(t, program("busybox", "sh", "-c", script))
}

// ended is how the program ended.
func (b *bench) ended() mp.Exit {
	b.t.Helper()
	select {
	case err := <-b.run:
		var x *engine.Exit
		if !errors.As(err, &x) {
			b.t.Fatalf("Run: %v", err)
		}
		return x.Exit
	case <-time.After(30 * time.Second):
		b.t.Fatalf("the program runs on; %s", b.logs)
		return mp.Exit{}
	}
}

func (b *bench) do(ctx context.Context, name, input string) (string, error) {
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 2)
	b.Call(ctx, name, []byte(input), func(output []byte, err error) { c <- answer{output, err} })
	select {
	case a := <-c:
		return string(a.output), a.err
	case <-time.After(30 * time.Second):
		b.t.Fatalf("%s(%.40s) is not answered; %s", name, input, b.logs)
		return "", nil
	}
}

// waitFor waits for a line of the log.
func (b *bench) waitFor(line string) {
	b.t.Helper()
	for range 3000 {
		if strings.Contains("\n"+b.logs.String()+"\n", "\n"+line+"\n") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("%q was not logged:\n%s", line, b.logs)
}
