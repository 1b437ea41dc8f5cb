package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// reactorModule and commandModule are the test's program in both forms.
var (
	reactorModule = sync.OnceValues(func() ([]byte, error) { return goModule("-buildmode=c-shared") })
	commandModule = sync.OnceValues(func() ([]byte, error) { return goModule() })
)

func goModule(flags ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-wasm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app.wasm")
	cmd := exec.Command("go", append(append([]string{"build", "-buildvcs=false", "-o", out}, flags...), "./testdata/wasm")...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
}

// Small modules, in the binary form: (module (func (export "f") …)).
const (
	wasmHead = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00"
	endless  = "\x0a\x09\x01\x07\x00\x03\x40\x0c\x00\x0b\x0b" // loop br 0 end
	itself   = "\x0a\x06\x01\x04\x00\x10\x00\x0b"             // call 0
	starts   = "\x08\x01\x00"                                 // the function is the start function
)

// unknown imports a function that there is not.
const unknown = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x02\x09\x01\x03env\x01f\x00\x00"

// wasmProgram makes a package's directory around a module.
func wasmProgram(t *testing.T, module []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"app_id": "com.example.wasm", "name": "Wasm", "icons": [{"src": "icon.svg", "label": "x"}],
			"version": {"name": "1.0.0", "code": 1}, "platform_version": {"min_code": 1}, "pages": ["pages/home"],
			"mpsupervisor": {"runtime": "wasm"}}`,
		"icon.svg": "<svg/>", "pages/home.html": "", "app.wasm": string(module),
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func reactorProgram(t *testing.T) string { return wasmProgram(t, must(t, reactorModule)) }

func must(t *testing.T, module func() ([]byte, error)) []byte {
	t.Helper()
	b, err := module()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// startWasm runs a program with limits until the test ends.
func startWasm(t *testing.T, dir string, limits *controlpb.Limits) string {
	t.Helper()
	id, err := shared.Run(t.Context(), dir, limits)
	if err != nil {
		t.Fatalf("%v\n%s", err, shared.Log())
	}
	t.Cleanup(func() { shared.Client.Kill(context.Background(), &controlpb.KillRequest{Id: id}) })
	return id
}

// TestWasmRun runs a module as an operator does: a reactor that is called, and a
// command, whose arguments and exit status are its own.
func TestWasmRun(t *testing.T) {
	dir := reactorProgram(t)
	for range 2 { // compiled, and not
		out, err := mpsupervisor("run", dir, "--call", "count")
		if err != nil || out != "1\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
	out, err := mpsupervisor("run", wasmProgram(t, must(t, commandModule)), "--", "one", "two")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || !strings.Contains(out+string(exit.Stderr), "arguments [one two]") {
		t.Errorf("%q, %v", out, err)
	}
}

// mpsupervisor runs the command against the shared daemon.
func mpsupervisor(args ...string) (string, error) {
	cmd := exec.Command(daemon.Program("mpsupervisor"), append([]string{"--socket", shared.Socket}, args...)...)
	out, err := cmd.Output()
	return string(out), err
}

// TestWasmSealed holds that what was to come came: MDWE and a further filter.
func TestWasmSealed(t *testing.T) {
	id := startWasm(t, reactorProgram(t), nil)
	res, err := shared.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range res.GetLocks() {
		if !l.GetOk() || strings.Contains(l.GetFound(), "to come") {
			t.Errorf("%s: %s", l.GetName(), l.GetFound())
		}
	}
	if got, own := filters(t, fmt.Sprint(res.GetProgram().GetPid())), filters(t, fmt.Sprint(shared.Info.LauncherPid)); got != own+2 {
		t.Errorf("%d filters, with %d of the launcher's", got, own)
	}
}

func filters(t *testing.T, pid string) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "Seccomp_filters:")
	fmt.Sscan(after, &n)
	return n
}

// TestWasmHostile has modules do what they should not: each ends by its limit.
func TestWasmHostile(t *testing.T) {
	const second = time.Second
	reactor := reactorProgram(t)
	for _, c := range []struct {
		what, dir, call string
		limits          *controlpb.Limits
		cause, detail   string
	}{
		{"endless loop", reactor, "spin", &controlpb.Limits{CallTimeout: durationpb.New(second)}, "call limit", "took longer than 1s"},
		{"recursion", wasmProgram(t, []byte(wasmHead+itself)), "f", nil, "memory limit", ""},
		{"exit", reactor, "quit", nil, "exited", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			id := startWasm(t, c.dir, c.limits)
			if res, err := call(t.Context(), id, c.call, ""); err == nil {
				t.Errorf("it answered %v", res)
			}
			if exit := ended(t, id); exit.Cause != c.cause || !strings.Contains(exit.Detail, c.detail) {
				t.Errorf("ended by %q: %s", exit.Cause, exit.Detail)
			}
		})
	}
}

// TestWasmStuck has a guest spin while its worker's garbage collector wants to
// stop the world: nothing in the worker can say anything any more, and it is ended
// from outside.
func TestWasmStuck(t *testing.T) {
	id := startWasm(t, reactorProgram(t), &controlpb.Limits{CallTimeout: durationpb.New(3 * time.Second)})
	failed := make(chan error, 1)
	go func() {
		_, err := call(context.Background(), id, "spin", "")
		failed <- err
	}()
	large := `"` + strings.Repeat("x", 900<<10) + `"`
	var calls sync.WaitGroup
	for range 30 { // each is garbage soon
		time.Sleep(10 * time.Millisecond)
		calls.Go(func() { call(context.Background(), id, "count", large) })
	}
	if err := <-failed; err == nil {
		t.Error("it answered")
	}
	if exit := ended(t, id); exit.Cause != "call limit" || !strings.Contains(exit.Detail, "took longer than it may") {
		t.Errorf("ended by %q: %s", exit.Cause, exit.Detail)
	}
	calls.Wait()
}

// What a program is refused it can survive: it is told, and the worker goes on.
func TestWasmSurvives(t *testing.T) {
	far := durationpb.New(farAway)
	memory := int64(512 << 20)
	deep := startWasm(t, wasmProgram(t, []byte(wasmHead+itself)), &controlpb.Limits{MemoryBytes: &memory, CallTimeout: far})
	for range 2 {
		res, err := call(t.Context(), deep, "f", "")
		if err != nil || res.GetThrown().GetName() != "RangeError" {
			t.Errorf("recursion: %v, %v", res, err)
		}
	}
	hungry := startWasm(t, reactorProgram(t), &controlpb.Limits{CallTimeout: far})
	res, err := call(t.Context(), hungry, "eat", "")
	if err != nil || res.GetThrown() == nil {
		t.Errorf("memory: %v, %v", res, err)
	}
}

// A module that cannot begin says why, and nothing is left of it.
func TestWasmRefused(t *testing.T) {
	for _, c := range []struct{ what, module, want string }{
		{"unknown import", unknown, `LinkError: the module cannot be linked: it imports "f" of module "env"`},
		{"no module", "#!/bin/sh", "CompileError"},
		{"endless start function", wasmHead + starts + endless, "call limit"},
	} {
		limit := &controlpb.Limits{CallTimeout: durationpb.New(2 * time.Second)}
		id, err := shared.Run(t.Context(), wasmProgram(t, []byte(c.module)), limit)
		text := fmt.Sprint(err)
		if err == nil { // it ended by itself while it began
			text = ended(t, id).Cause
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s: %s, want %s", c.what, text, c.want)
		}
	}
}

// TestWasmCache holds that compiled code outlives its supervisor, that damage to
// it is of no consequence, and that it is not for others to read.
func TestWasmCache(t *testing.T) {
	above, err := os.MkdirTemp("", "mpsupervisor-cache-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(above) })
	if err := os.Chmod(above, 0o755); err != nil { // the supervisor's user passes
		t.Fatal(err)
	}
	cache := filepath.Join(above, "cache")
	dir := reactorProgram(t)
	run := func(reset func(file string)) (log string) {
		t.Helper()
		d, err := daemon.Start(fmt.Sprintf("cache_dir = %q", cache))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Stop()
		id, err := d.Run(t.Context(), dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := d.Client.Call(t.Context(), &controlpb.CallRequest{Id: id, Name: "count"})
		if err != nil || res.GetOutputJson() != "1" {
			t.Errorf("%v, %v", res, err)
		}
		files, err := filepath.Glob(filepath.Join(cache, "*"))
		if reset != nil && (err != nil || len(files) != 1) {
			t.Fatalf("%v, %v\n%s", files, err, d.Log())
		}
		if reset != nil {
			reset(files[0])
		}
		return d.Log()
	}
	compiled := func(log string) bool { return strings.Contains(log, "module_compiled") }
	first := run(func(file string) {
		st, err := os.Stat(file)
		if err != nil || st.Mode() != 0o400 {
			t.Errorf("%s: %v, %v", file, st.Mode(), err)
		}
		if above, err := os.Stat(cache); err != nil || above.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", cache, above.Mode(), err)
		}
	})
	if !compiled(first) {
		t.Errorf("it was not compiled:\n%s", first)
	}
	if log := run(func(file string) { damage(t, file) }); compiled(log) {
		t.Errorf("it was compiled again:\n%s", log)
	}
	if log := run(nil); !compiled(log) || !strings.Contains(log, "damaged") {
		t.Errorf("damaged code was used:\n%s", log)
	}
	if log := run(nil); compiled(log) {
		t.Errorf("damaged code stayed:\n%s", log)
	}
}

// damage changes one bit of a file.
func damage(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	was := bytes.Clone(b)
	b[len(b)/2] ^= 1
	if err := os.WriteFile(file, b, 0o400); err != nil || bytes.Equal(b, was) {
		t.Fatal(err)
	}
}
