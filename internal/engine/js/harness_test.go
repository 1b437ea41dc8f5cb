package js

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

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

// Ask answers echo with its params, a little later, fails fail, and leaves never
// unanswered.
func (l *logs) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	switch method {
	case "echo":
		time.AfterFunc(time.Millisecond, func() { done(params, nil) })
	case "fail":
		done(nil, &mp.AskError{Code: mp.AskDenied, Message: string(params)})
	case "never":
	default:
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: "no method " + method})
	}
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// files makes a package out of pairs of name and content.
func files(pairs ...string) fs.FS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

// program is a package of app.js alone, with limits for tests.
func program(app string) engine.Program {
	return engine.Program{
		AppID: "com.example.test", Files: files("app.js", app), Entry: "app.js",
		Seed: [32]byte{1}, Start: time.Unix(1700000000, 0),
		Heap: 32 << 20, Turn: 20 * time.Second, Result: 1 << 20,
	}
}

// bench is an engine under test.
type bench struct {
	t testing.TB
	*Engine
	logs    *logs
	exports []string
	run     chan error // Run's result
	cancel  func()
}

func open(t testing.TB, image *os.File) *bench {
	t.Helper()
	b := &bench{t: t, logs: &logs{}, run: make(chan error, 1)}
	e, err := New(b.logs, image)
	if err != nil {
		t.Fatal(err)
	}
	b.Engine = e
	t.Cleanup(e.Close)
	return b
}

// start loads p and, if that works, serves it on a goroutine of its own. The
// engine is mapped, as in a worker: evaluating the prelude for each test would
// take the race detector seconds.
func start(t testing.TB, p engine.Program) (*bench, error) {
	t.Helper()
	b := open(t, sharedImage(t))
	return b, b.serve(p)
}

func (b *bench) serve(p engine.Program) error {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	loaded, stopped := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(stopped)
		var err error
		b.exports, err = b.Load(ctx, p)
		loaded <- err
		if err == nil {
			b.run <- b.Run(ctx)
		}
	}()
	b.t.Cleanup(func() { cancel(); <-stopped })
	return <-loaded
}

func mustStart(t testing.TB, app string) *bench {
	t.Helper()
	b, err := start(t, program(app))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) do(ctx context.Context, name, input string) (string, error) {
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 1)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	b.Call(ctx, name, []byte(input), func(output []byte, err error) { c <- answer{output, err} })
	a := <-c
	return string(a.output), a.err
}

// ended is Run's error.
func (b *bench) ended() error {
	b.t.Helper()
	select {
	case err := <-b.run:
		return err
	case <-time.After(30 * time.Second):
		b.t.Fatal("the program runs on")
		return nil
	}
}

func (b *bench) must(name, input string) string {
	b.t.Helper()
	out, err := b.do(context.Background(), name, input)
	if err != nil {
		b.t.Fatalf("%s(%s): %v", name, input, err)
	}
	return out
}

// eval returns the JSON of an expression's value in a fresh engine.
func eval(t testing.TB, expression string) string {
	t.Helper()
	return mustStart(t, "export function f(x) { return ("+expression+"); }").must("f", "")
}

func wantExit(t *testing.T, err error, cause mp.Cause) *engine.Exit {
	t.Helper()
	var x *engine.Exit
	if !errors.As(err, &x) {
		t.Fatalf("got %v, want %s", err, cause)
	}
	if x.Cause != cause {
		t.Fatalf("got %v, want %s", x, cause)
	}
	return x
}
