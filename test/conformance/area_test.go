package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// checkLimit is how long one check may take. Those that wait do so for
// milliseconds; the longest grow to a limit.
const checkLimit = time.Minute

// host keeps the log lines of the check that runs. It grants nothing.
type host struct {
	mu    sync.Mutex
	lines []string
}

func (h *host) Log(level, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, level+" "+text)
}

// Ask answers echo with its params, and grants nothing.
func (h *host) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	switch {
	case method != "echo":
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: "no method " + method})
	case len(params) == 0:
		done([]byte("null"), nil)
	default:
		done(params, nil)
	}
}

// take returns the lines since it was last called.
func (h *host) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := h.lines
	h.lines = nil
	return lines
}

// area is an engine that has loaded one module of checks.
type area struct {
	e    *js.Engine
	host *host
}

// entry makes the harness's functions the exports of a program of checks.
const entry = `import "./%s"; export { members, names, run } from "./check.js";`

// openArea loads checks/file.
func openArea(t *testing.T, file string) *area {
	t.Helper()
	a := &area{host: &host{}}
	var err error
	if a.e, err = js.New(a.host, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.e.Close)
	ctx, cancel := context.WithCancel(context.Background())
	loaded, stopped := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(stopped)
		_, err := a.e.Load(ctx, program(t, file))
		loaded <- err
		if err == nil {
			_ = a.e.Run(ctx) // what ends it is the next call's error
		}
	}()
	t.Cleanup(func() { cancel(); <-stopped })
	if err := <-loaded; err != nil {
		t.Fatalf("%s: %v\n%s", file, err, strings.Join(a.host.take(), "\n"))
	}
	return a
}

func program(t *testing.T, file string) engine.Program {
	files := fstest.MapFS{"entry.js": {Data: fmt.Appendf(nil, entry, file)}}
	parts, err := fs.Glob(os.DirFS("checks"), "modules/*") // what modules.js imports
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(modules(t), parts...) {
		b, err := os.ReadFile("checks/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	return engine.Program{
		AppID: "com.example.conformance", Files: files, Entry: "entry.js",
		Seed: [32]byte{1}, Start: time.Now(), Heap: 256 << 20, Turn: checkLimit, Result: 1 << 20,
	}
}

// modules are the files of checks/.
func modules(t *testing.T) []string {
	names, err := fs.Glob(os.DirFS("checks"), "*.js")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no checks: %v", err)
	}
	return names
}

func (a *area) call(name, input string, result any) error {
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 1)
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	a.e.Call(ctx, name, []byte(input), func(output []byte, err error) { c <- answer{output, err} })
	r := <-c
	if r.err != nil {
		return r.err
	}
	return json.Unmarshal(r.output, result)
}

// run runs check i. Lines that it logged must be those that it expects; if it
// does not say, none may tell of an error.
func (a *area) run(i int) error {
	a.host.take()
	var want []string
	if err := a.call("run", fmt.Sprint(i), &want); err != nil {
		return err
	}
	got := a.host.take()
	if want == nil {
		got = slices.DeleteFunc(got, func(line string) bool { return !strings.HasPrefix(line, "error ") })
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("it logged %q, want %q", got, want)
	}
	return nil
}
