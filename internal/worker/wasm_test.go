package worker_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// reactor is the engine's test program in Go, compiled once.
var reactor = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "mpworker-wasm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app.wasm")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "../engine/wasm/testdata/reactor")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
})

// endless is (module (func (export "f") (loop (br 0)))), and with start set the
// function is also the module's start function.
func endless(start bool) []byte {
	const head = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00"
	const body = "\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b"
	if start {
		return []byte(head + "\x08\x01\x00" + body)
	}
	return []byte(head + body)
}

// bootWasm gives a worker a module, and the descriptors that come after the
// package.
func (h *host) bootWasm(module []byte, compile bool, files ...*os.File) (wire.Booted, error) {
	return h.bootWasmFor(30*time.Second, module, compile, files...)
}

// bootWasmFor says how long a turn may take.
func (h *host) bootWasmFor(turn time.Duration, module []byte, compile bool, files ...*os.File) (wire.Booted, error) {
	h.t.Helper()
	var pkg bytes.Buffer
	if err := archive.Write(&pkg, map[string]archive.File{"app.wasm": {Content: module}}); err != nil {
		h.t.Fatal(err)
	}
	f := memfd(h.t, pkg.Bytes())
	defer f.Close()
	m := &wire.Boot{AppID: "com.example.test", Entry: "app.wasm", UnixNano: time.Now().UnixNano(),
		Heap: 54 << 20, TurnMillis: turn.Milliseconds(), ResultBytes: wire.MaxResult, LogRate: 200, IPCRate: 1 << 20,
		Image: len(files) > 0 && !compile, Wasm: &wire.Wasm{TmpBytes: 1 << 20, TmpFiles: 16, Compile: compile}}
	rand.Read(m.Seed[:])
	var reply wire.Booted
	return reply, h.request(context.Background(), wire.MethodBoot, m, &reply, append([]*os.File{f}, files...)...)
}

func (h *host) begin() (wire.Booted, error) {
	var reply wire.Booted
	return reply, h.request(context.Background(), wire.MethodBegin, &wire.Begin{}, &reply)
}

// compiled has a worker compile a module.
func compiled(t testing.TB, module []byte) []byte {
	t.Helper()
	h := begin(t, variation{args: []string{"wasm-compile"}})
	if sealed := h.waitSealed(); slices.Contains(sealed.Locks, string(lock.MDWE)) != lock.InKernel(lock.MDWE) {
		t.Errorf("sealed with %v", sealed.Locks)
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	code := make(chan []byte, 1)
	go func() { b, _ := io.ReadAll(ours); code <- b }()
	b, err := h.bootWasm(module, true, theirs)
	theirs.Close()
	if err != nil || b.Error != nil {
		t.Fatalf("%v, %v; %s", err, b.Error, h.autopsy())
	}
	return <-code
}

// beginWasm is a sealed worker of the role wasm.
func beginWasm(t testing.TB, v variation) *host {
	t.Helper()
	v.args = []string{"wasm"}
	h := begin(t, v)
	if sealed := h.waitSealed(); slices.Contains(sealed.Locks, string(lock.MDWE)) {
		t.Errorf("sealed with %v before the code was there", sealed.Locks)
	}
	return h
}

// startWasm is a worker in which a module runs.
func startWasm(t testing.TB, module, code []byte) *host {
	t.Helper()
	h := beginWasm(t, variation{})
	var files []*os.File
	if code != nil {
		files = []*os.File{memfd(t, code)}
	}
	b, err := h.bootWasm(module, false, files...)
	if err != nil || b.Error != nil || code != nil && b.Image != wire.Restored {
		t.Fatalf("%+v, %v; %s", b, err, h.autopsy())
	}
	if b, err = h.begin(); err != nil || b.Error != nil {
		t.Fatalf("%v, %v; %s", err, b.Error, h.autopsy())
	}
	return h
}

// A module is compiled by one worker and runs in another.
func TestWasm(t *testing.T) {
	module, err := reactor()
	if err != nil {
		t.Fatal(err)
	}
	h := startWasm(t, module, compiled(t, module))
	if got := h.filters(); got != h.inherited()+2 {
		t.Errorf("%d filters, with %d inherited", got, h.inherited())
	}
	for range 3 {
		if r, err := h.call("upper", `{"text":"shout"}`); err != nil || string(r.Output) != `"SHOUT"` {
			t.Errorf("%+v, %v; %s", r, err, h.autopsy())
		}
	}
	if r, err := h.call("ask", `{"method":"echo","params":{"a":1}}`); err != nil || string(r.Output) != `{"answer":{"a":1},"ok":true}` {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := h.call("say", ""); err != nil || r.Error != nil {
		t.Errorf("%+v, %v", r, err)
	}
	h.waitLog("info on stdout")
}

// filters counts the filters of the worker, from outside.
func (h *host) filters() int   { return filtersOf(h.t, fmt.Sprint(h.cmd.Process.Pid)) }
func (h *host) inherited() int { return filtersOf(h.t, "self") }

func filtersOf(t testing.TB, pid string) (n int) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "Seccomp_filters:")
	fmt.Sscan(after, &n)
	return n
}

// Nothing of the module runs before Begin, not even its start function.
func TestWasmWaitsForBegin(t *testing.T) {
	h := beginWasm(t, variation{})
	if b, err := h.bootWasm(endless(true), false); err != nil || b.Error != nil || b.Image != "" {
		t.Fatalf("%+v, %v; %s", b, err, h.autopsy())
	}
	if got := h.filters(); got != h.inherited()+2 {
		t.Errorf("%d filters before the module begins", got)
	}
}

// A module that cannot be used says why, to whoever compiles it or runs it.
func TestWasmRefused(t *testing.T) {
	h := begin(t, variation{args: []string{"wasm-compile"}})
	h.waitSealed()
	_, theirs, _ := os.Pipe()
	if b, err := h.bootWasm([]byte("no module"), true, theirs); err != nil || b.Error == nil || b.Error.Name != "CompileError" {
		t.Errorf("%+v, %v", b, err)
	}
	h = beginWasm(t, variation{})
	if b, err := h.bootWasm([]byte("no module"), false); err != nil || b.Error == nil || b.Error.Name != "CompileError" {
		t.Errorf("%+v, %v", b, err)
	}
}

// Damaged code is not used, and the program runs all the same.
func TestWasmDamaged(t *testing.T) {
	module := endless(false)
	code := compiled(t, module)
	code[len(code)-1] ^= 1
	h := beginWasm(t, variation{})
	if b, err := h.bootWasm(module, false, memfd(t, code)); err != nil || b.Error != nil || !strings.Contains(b.Image, "damaged") {
		t.Fatalf("%+v, %v; %s", b, err, h.autopsy())
	}
	if b, err := h.begin(); err != nil || !slices.Equal(b.Exports, []string{"f"}) {
		t.Errorf("%+v, %v", b, err)
	}
}

// A guest that never returns is reported at its deadline.
func TestWasmEndless(t *testing.T) {
	h := beginWasm(t, variation{})
	if _, err := h.bootWasmFor(time.Second, endless(false), false); err != nil {
		t.Fatal(err)
	}
	if _, err := h.begin(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.call("f", ""); err == nil {
		t.Error("it returned")
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseCallLimit, Detail: "took longer"}, 74)
}

// Without the filter of a running module nothing runs.
func TestWasmUnsealed(t *testing.T) {
	h := beginWasm(t, variation{narrow: stack(t, seccomp.RoleWasm)})
	if b, err := h.bootWasm(endless(false), false); err == nil {
		t.Errorf("booted: %+v", b)
	}
	if status := h.wait(); status.ExitStatus() != 72 || !strings.Contains(h.stderr.String(), `lock "seccomp" is missing`) {
		t.Errorf("%#x; %s", status, &h.stderr)
	}
}
