package js

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

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
