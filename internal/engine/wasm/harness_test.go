package wasm

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// Ask answers echo with its params, late, and knows nothing else.
func (l *logs) Ask(_ context.Context, method string, params []byte, done func([]byte, error)) {
	if method != "echo" {
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: fmt.Sprintf("no method %q", method)})
		return
	}
	time.AfterFunc(time.Millisecond, func() { done(params, nil) })
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// program is what tests run.
func program(module []byte, files map[string]string) engine.Program {
	all := fstest.MapFS{"app.wasm": {Data: module}}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	return engine.Program{
		AppID: "com.example.test", Files: fs.FS(all), Entry: "app.wasm", Seed: [32]byte{1},
		Start: time.Now(), Heap: 64 << 20, Turn: 20 * time.Second, Result: 1 << 20, IPCRate: 1000,
	}
}

// rig is an engine under test.
type rig struct {
	*Engine
	logs    *logs
	exports []string
	ended   chan error
}

// load makes an engine and loads a program.
func load(t testing.TB, p engine.Program, own Own) (*rig, error) {
	t.Helper()
	r := &rig{logs: &logs{}, ended: make(chan error, 1)}
	r.Engine = New(r.logs)
	if own.Code == nil {
		own.Code = precompiled(p)
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.Turn)
	defer cancel()
	if own.TmpBytes == 0 {
		own.TmpBytes, own.TmpFiles = 1<<20, 64
	}
	err := r.Prepare(ctx, p, own)
	if err == nil {
		r.exports, err = r.Load(ctx, p)
	}
	return r, err
}

// start loads a program that must load, and runs it until the test ends.
func start(t testing.TB, p engine.Program, own Own) *rig {
	t.Helper()
	r, err := load(t, p, own)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err == context.Canceled {
			r.Close()
		}
	})
	return r
}

// call calls a function and waits for its end.
func (r *rig) call(name, input string) (string, error) {
	return r.callWith(context.Background(), name, input)
}

func (r *rig) callWith(ctx context.Context, name, input string) (string, error) {
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 1)
	r.Call(ctx, name, []byte(input), func(b []byte, err error) { c <- answer{b, err} })
	a := <-c
	return string(a.output), a.err
}

// built are the Go programs of testdata, compiled for wasip1 once.
var built sync.Map

// machine is the machine code of those programs, made once: they are large.
var machine sync.Map

// precompiled is the code of a program, if it is one of those.
func precompiled(p engine.Program) Code {
	module, err := fs.ReadFile(p.Files, p.Entry)
	if err != nil || len(module) < 1<<20 {
		return nil
	}
	once, _ := machine.LoadOrStore(len(module), sync.OnceValue(func() Code {
		c, err := Compile(context.Background(), module)
		if err != nil {
			panic(err)
		}
		return c
	}))
	return once.(func() Code)()
}

// goModule compiles a program of testdata.
func goModule(t testing.TB, dir string, flags ...string) []byte {
	t.Helper()
	once, _ := built.LoadOrStore(dir, sync.OnceValues(func() ([]byte, error) {
		out := filepath.Join(os.TempDir(), fmt.Sprintf("mpsupervisor-%d-%s.wasm", os.Getpid(), dir))
		defer os.Remove(out)
		cmd := exec.Command("go", append(append([]string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", out}, flags...), "./testdata/"+dir)...)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, text)
		}
		return os.ReadFile(out)
	}))
	b, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func reactor(t testing.TB) []byte { return goModule(t, "reactor", "-buildmode=c-shared") }
func command(t *testing.T) []byte { return goModule(t, "command") }
