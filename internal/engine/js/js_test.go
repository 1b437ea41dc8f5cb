package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// start loads p and, if that works, serves it on a goroutine of its own.
func start(t testing.TB, p engine.Program) (*bench, error) {
	t.Helper()
	b := open(t, nil)
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

func TestCall(t *testing.T) {
	b := mustStart(t, `
		export function add({ a, b }) { return a + b; }
		export async function later(ms) { await new Promise((r) => setTimeout(r, ms)); return ms; }
		export const arrow = (x) => x;
		export let nothing = () => {};
		export default function () { return "default"; }
		export const notFunction = 1;
		export const thenable = () => ({ then(f) { f([1]); } });
		export const count = (...args) => args.length;
	`)
	if got, want := fmt.Sprint(b.exports), "[add arrow count default later nothing thenable]"; got != want {
		t.Errorf("exports: %s, want %s", got, want)
	}
	for _, c := range []struct{ name, input, want string }{
		{"add", `{"a":1,"b":2}`, "3"},
		{"later", "5", "5"},
		{"arrow", `"\u00e9\ud83d\ude00"`, `"é😀"`},
		{"arrow", `{"deep":[{"a":null}]}`, `{"deep":[{"a":null}]}`},
		{"nothing", "1", "null"},
		{"default", "", `"default"`},
		{"thenable", "", "[1]"},
		{"count", "", "0"},
		{"count", "null", "1"},
	} {
		if got := b.must(c.name, c.input); got != c.want {
			t.Errorf("%s(%s) = %s, want %s", c.name, c.input, got, c.want)
		}
	}
}

func TestCallErrors(t *testing.T) {
	b := mustStart(t, `
		export function fail() { throw new RangeError("too far"); }
		export async function reject() { await null; throw new TypeError("no"); }
		export function word() { throw "just a string"; }
		export function object() { throw { code: 7 }; }
		export function cyclic() { const o = {}; o.o = o; return o; }
		export function toJSON() { return { toJSON() { throw new Error("not as JSON"); } }; }
		export function big() { return 1n; }
		export function large() { return "x".repeat(2 << 20); }
		export function hostileError() { throw { get name() { throw 1; }, get message() { throw 2; }, get stack() { throw 3; } }; }
		export const id = (x) => x;
	`)
	for _, c := range []struct{ name, input, want string }{
		{"fail", "", "RangeError: too far"},
		{"reject", "", "TypeError: no"},
		{"word", "", "'just a string'"},
		{"object", "", "{ code: 7 }"},
		{"cyclic", "", "TypeError: circular reference"},
		{"toJSON", "", "Error: not as JSON"},
		{"big", "", "TypeError: "},
		{"large", "", "2097154 bytes"},
		{"hostileError", "", "{ name: [Getter]"},
		{"id", "{not json", "SyntaxError: the input is not JSON: "},
		{"id", "1 2", "SyntaxError: the input is not JSON: "},
		{"id", "\"\xff\"", "SyntaxError: the input is not JSON: it is not UTF-8"},
		{"missing", "", `exported function "missing": not found`},
		{"toString", "", `exported function "toString": not found`},
	} {
		out, err := b.do(context.Background(), c.name, c.input)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%s) = %s, error %v, want %s", c.name, c.input, out, err, c.want)
		}
	}
	if _, err := b.do(context.Background(), "large", ""); !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("large: %v is not ErrTooLarge", err)
	}
	if _, err := b.do(context.Background(), "missing", ""); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("missing: %v is not ErrNotFound", err)
	}
	if got := b.must("id", "1"); got != "1" {
		t.Errorf("after the errors: %s", got)
	}
}

func TestErrorNamesFileAndLine(t *testing.T) {
	p := program(`import { deep } from "./lib/deep.js";
export function f() {
	deep();
}`)
	p.Files = files("app.js", string(readAll(t, p.Files, "app.js")), "lib/deep.js", "\n\nexport function deep() { null.x; }\n")
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.do(context.Background(), "f", "")
	var g *mp.GuestError
	if !errors.As(err, &g) {
		t.Fatal(err)
	}
	const want = "    at deep (lib/deep.js:3:30)\n    at f (app.js:3:6)"
	if g.Name != "TypeError" || g.Stack != want {
		t.Errorf("got %q, message %q, stack\n%s\nwant\n%s", g.Name, g.Message, g.Stack, want)
	}
}

func readAll(t *testing.T, f fs.FS, name string) []byte {
	b, err := fs.ReadFile(f, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManyCallsAtOnce(t *testing.T) {
	b := mustStart(t, `
		const waiting = [];
		export const wait = (x) => new Promise((r) => waiting.push(() => r(x * 2)));
		export const release = () => { for (const f of waiting) f(); return waiting.length; };
	`)
	const n = 500
	var wg sync.WaitGroup
	var bad sync.Map
	for i := range n {
		wg.Add(1)
		b.Call(context.Background(), "wait", fmt.Append(nil, i), func(out []byte, err error) {
			defer wg.Done()
			if err != nil || string(out) != fmt.Sprint(2*i) {
				bad.Store(i, fmt.Sprint(string(out), err))
			}
		})
	}
	if got := b.must("release", ""); got != fmt.Sprint(n) {
		t.Errorf("%s calls were waiting, want %d", got, n)
	}
	wg.Wait()
	bad.Range(func(i, what any) bool { t.Errorf("call %d: %s", i, what); return true })
}

func TestCancelGivesUpOneCall(t *testing.T) {
	b := mustStart(t, `export const never = () => new Promise(() => {}); export const id = (x) => x;`)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := b.do(ctx, "never", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := b.must("id", "7"); got != "7" {
		t.Errorf("afterwards: %s", got)
	}
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

func TestDeadlineOfCallEndsProgram(t *testing.T) {
	b := mustStart(t, `export const never = () => new Promise(() => {});`)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := b.do(ctx, "never", "")
	wantExit(t, err, mp.CauseCallLimit)
	wantExit(t, b.ended(), mp.CauseCallLimit)
}

func TestExit(t *testing.T) {
	for _, app := range []string{
		`export function f() { try { mp.exit(3); } catch {} finally { for (;;); } }`,
		`export async function f() { try { await 0; mp.exit(3); } catch {} }`,
		`export function f() { setTimeout(() => mp.exit(3)); return new Promise(() => {}); }`,
	} {
		t.Run(app, func(t *testing.T) {
			b := mustStart(t, app)
			_, err := b.do(context.Background(), "f", "")
			if x := wantExit(t, err, mp.CauseExited); x.Code != 3 {
				t.Errorf("code %d", x.Code)
			}
			wantExit(t, b.ended(), mp.CauseExited)
		})
	}
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ app, want string }{
		{"export function f( {", "SyntaxError"},
		{"throw new Error('at start')", "Error: at start"},
		{"await Promise.reject(new TypeError('later'))", "TypeError: later"},
		{"await new Promise(() => {})", "can never happen"},
		{`import "fs"`, `cannot import "fs" from app.js: only files of the package`},
		{`import "./../x.js"`, "leaves the package"},
		{`import "../x.js"`, "leaves the package"},
		{`import "./missing.js"`, `cannot import "missing.js" from app.js: there is no such file`},
		{`import "https://example.com/x.js"`, "only files of the package"},
		{`import "/etc/passwd"`, "only files of the package"},
		{`import x from "./d.json"`, `JSON needs: with { type: "json" }`},
		{`import x from "./d.json" with { type: "css" }`, `there is no import type "css"`},
		{`import { nope } from "./ok.js"`, "nope"},
		{`import * as std from "std"`, "only files"},
		{`import * as os from "os"`, "only files"},
	} {
		t.Run(c.app, func(t *testing.T) {
			p := program(c.app)
			p.Files = files("app.js", c.app, "d.json", "1", "ok.js", "export const a = 1")
			_, err := start(t, p)
			var g *mp.GuestError
			if !errors.As(err, &g) || !strings.Contains(g.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestModules(t *testing.T) {
	p := program("")
	p.Files = files(
		"app.js", `
			import { a } from "./lib/a.js";
			import data from "./data.json" with { type: "json" };
			const { b } = await import("./lib/../lib/b.js");
			const late = await new Promise((r) => setTimeout(() => r("late"), 1));
			export const all = () => [a, b, data.x, late];
			export const dynamic = async (name) => { try { return Object.keys(await import(name)); } catch (e) { return String(e); } };`,
		"lib/a.js", `import { b } from "./b.js"; export const a = "a" + b;`,
		"lib/b.js", `export const b = "b";`,
		"data.json", `{"x": [1, 2]}`,
	)
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.must("all", ""), `["ab","b",[1,2],"late"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.must("dynamic", `"./nope.js"`); !strings.Contains(got, "no such file") {
		t.Errorf("dynamic import: %s", got)
	}
	if got := b.must("dynamic", `"./lib/a.js"`); got != `["a"]` {
		t.Errorf("dynamic import: %s", got)
	}
}

func TestUncaught(t *testing.T) {
	b := mustStart(t, `
		export function timer() { setTimeout(function tock() { throw new Error("in timer"); }); }
		export function promise() { Promise.reject(new TypeError("in promise")); }
		export function micro() { queueMicrotask(() => { throw new RangeError("in microtask"); }); }
		export async function handled() { const p = Promise.reject(new Error("late but handled")); await null; p.catch(() => {}); }
		export const wait = () => new Promise((r) => setTimeout(r, 5));
	`)
	for _, name := range []string{"timer", "promise", "micro", "handled", "wait"} {
		b.must(name, "")
	}
	got := b.logs.String()
	for _, want := range []string{
		"error Uncaught Error: in timer\n    at tock (app.js:2:", "error Uncaught (in promise) TypeError: in promise\n    at promise (app.js:3:",
		"error Uncaught RangeError: in microtask",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("log has no %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "late but handled") {
		t.Errorf("a rejection that was handled in its turn is in the log:\n%s", got)
	}
}

func TestGlobals(t *testing.T) {
	for expression, want := range map[string]string{
		"mp.appId": `"com.example.test"`,
		"typeof std + typeof os + typeof scriptArgs + typeof print + typeof require + typeof process": `"undefinedundefinedundefinedundefinedundefinedundefined"`,
		"new Date(0).toString()":                              `"Thu Jan 01 1970 00:00:00 GMT+0000"`,
		"new Date(2024, 6, 1).getTimezoneOffset()":            "0",
		"performance.timeOrigin":                              "1700000000000",
		"performance.now() >= 0 && performance.now() < 10000": "true",
		"crypto.randomUUID().length":                          "36",
		"crypto.getRandomValues(new Uint16Array(4)).length":   "4",
		"(() => { try { Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0) } catch (e) { return e.name } })()": `"TypeError"`,
	} {
		t.Run(expression, func(t *testing.T) {
			if got := eval(t, expression); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestJSONRoundTrip(t *testing.T) {
	b := mustStart(t, "export const id = (x) => x")
	in, _ := json.Marshal(map[string]any{"a": []any{1.5, "ü", nil, true}, "b": strings.Repeat("x", 100000)})
	if got := b.must("id", string(in)); got != string(in) {
		t.Errorf("got %.100s", got)
	}
}

// TestDeepModuleChain holds that linking recurses no deeper than it may.
func TestDeepModuleChain(t *testing.T) {
	const n = 4000
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("m%d.js", i), fmt.Sprintf(`import { x as y } from "./m%d.js"; export const x = y + 1;`, i+1))
	}
	pairs = append(pairs, fmt.Sprintf("m%d.js", n), `export const x = 0;`, "app.js", `import { x } from "./m0.js"; export const f = () => x;`)
	p := program("")
	p.Files = files(pairs...)
	b, err := start(t, p)
	if err != nil {
		if !strings.Contains(err.Error(), "stack overflow") {
			t.Errorf("got %v", err)
		}
		return
	}
	if got := b.must("f", ""); got != fmt.Sprint(n) {
		t.Errorf("got %s", got)
	}
}
