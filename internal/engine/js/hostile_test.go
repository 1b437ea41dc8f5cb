package js

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// endless never ends by itself, in every construct that can be endless.
var endless = map[string]string{
	"for":                  `for (;;);`,
	"while":                `while (true) {}`,
	"do":                   `do {} while (true)`,
	"labels":               `a: for (;;) { for (;;) continue a; }`,
	"for of":               `for (const x of { [Symbol.iterator]: () => ({ next: () => ({}) }) });`,
	"for in":               `const o = {}; for (let i = 0; ; i++) { o.x = 1; for (const k in o) delete o.x; }`,
	"spread":               `Math.max(...{ [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: Math.random() > 2 }) }) }[Symbol.iterator] ? function* () { for (;;); }() : 0)`,
	"catch":                `for (;;) try { throw 1 } catch {}`,
	"finally":              `for (;;) try { continue } finally { continue }`,
	"catch all the way":    `const f = () => { for (;;) try { f(); } catch {} }; f();`,
	"generator":            `function* g() { for (;;) yield 1; } for (const x of g());`,
	"generator return":     `function* g() { try { yield 1 } finally { for (;;) yield 2 } } const i = g(); i.next(); for (;;) i.return();`,
	"microtasks":           `const f = () => queueMicrotask(f); f();`,
	"promises":             `const f = () => { Promise.resolve().then(f); }; f();`,
	"async":                `(async () => { for (;;) await null; })();`,
	"thenable":             `const t = { then(r) { r(t) } }; Promise.resolve(t);`,
	"async generator":      `(async () => { async function* g() { for (;;) yield 1 } for await (const x of g()); })();`,
	"getter":               `const o = { get x() { for (;;); } }; o.x;`,
	"setter":               `const o = { set x(v) { for (;;); } }; o.x = 1;`,
	"toString":             `String({ toString() { for (;;); } })`,
	"valueOf":              `1 + { valueOf() { for (;;); } }`,
	"proxy":                `new Proxy({}, { get() { for (;;); } }).x`,
	"proxy ownKeys":        `Object.keys(new Proxy({}, { ownKeys() { for (;;); } }))`,
	"comparator":           `[3, 1, 2].sort(() => { for (;;); })`,
	"random comparator":    `for (;;) Array.from({ length: 1000 }).sort(() => Math.random() - 0.5)`,
	"map":                  `[1].map(() => { for (;;); })`,
	"growing array":        `const a = [1]; a.forEach((x, i) => { if (i < 1e6) a.push(1); for (;;); })`,
	"toJSON":               `JSON.stringify({ toJSON() { for (;;); } })`,
	"replacer":             `JSON.stringify({ a: 1 }, () => { for (;;); })`,
	"reviver":              `JSON.parse("[1]", () => { for (;;); })`,
	"replace":              `"a".replace(/a/, () => { for (;;); })`,
	"regexp: nested plus":  `/^(a+)+$/.test("a".repeat(40) + "!")`,
	"regexp: alternatives": `/^(a|aa)+$/.test("a".repeat(60) + "!")`,
	"regexp: dot star":     `/(.*)*x/.test("y".repeat(40))`,
	"regexp: backrefs":     `/^(.+)+\1+\1+$/.test("ab".repeat(50) + "!")`,
	"regexp: lookahead":    `/^(?=(a+)+$)a/.test("a".repeat(40) + "!")`,
	"regexp: lazy":         `/^(.*?,){11}P/.test("1,".repeat(200))`,
	"regexp: unicode":      `/^(\p{L}+)+$/u.test("é".repeat(40) + "!")`,
	"regexp: sets":         `/^([\w--b]+)+$/v.test("a".repeat(40) + "!")`,
	"regexp: sticky loop":  `const r = /a*/y; for (;;) { r.lastIndex = 0; r.test("b"); }`,
	"regexp: split":        `"a".repeat(50).split(/(a+)+!/)`,
	"regexp: replaceAll":   `"a".repeat(50).replaceAll(/(a+)+!/g, "")`,
	"regexp: matchAll":     `[..."a".repeat(50).matchAll(/(a+)+!/g)]`,
	"bigint multiply":      `let x = 3n; for (;;) x = x * x % (1n << 4096n);`,
	"date":                 `for (;;) new Date(Math.random() * 1e15).toLocaleString()`,
	"eval":                 `eval("for (;;);")`,
	"Function":             `new Function("for (;;);")()`,
	"many evals":           `for (;;) eval("1 + 1")`,
	"label break":          `x: for (;;) { y: for (;;) { break y; } }`,
	"switch":               `for (;;) switch (1) { case 1: continue; }`,
	"destructuring":        `const [...a] = function* () { for (;;); }();`,
	"class static":         `class A { static { for (;;); } }`,
	"instanceof":           `1 instanceof { [Symbol.hasInstance]() { for (;;); } }`,
	"tagged":               "((s) => { for (;;); })`x`",
	"tail of calls":        `const f = (n) => n > 100 ? 0 : f(n + 1); for (;;) f(0);`,
	"console":              `for (;;) console.log({ a: [1, 2, 3] })`,
	"Atomics":              `const a = new Int32Array(new SharedArrayBuffer(4)); while (Atomics.load(a, 0) === 0);`,
	"weak refs":            `for (;;) new WeakRef({})`,
	"string building":      `for (;;) { let s = ""; for (let i = 0; i < 1000; i++) s += i; }`,
	"array fill":           `const a = new Uint8Array(1 << 20); for (;;) a.fill(1);`,
	"array reverse":        `const a = Array(1000).fill(0); for (;;) a.reverse();`,
	"indexOf":              `const a = Array(100000).fill(0); for (;;) a.indexOf(1);`,
	"sparse":               `for (;;) Array(1e4).join("x").length`,
	"parse":                `const s = "[" + "1,".repeat(10000) + "1]"; for (;;) JSON.parse(s);`,
	"timers":               `const f = () => { setTimeout(f); for (;;); }; setTimeout(f); return new Promise(() => {});`,
	"listener":             `const t = new EventTarget(); t.addEventListener("x", () => { for (;;); }); t.dispatchEvent(new Event("x"))`,
	"error listener":       `addEventListener("error", () => { for (;;); }); queueMicrotask(() => { throw 1; }); return new Promise(() => {});`,
	"rejection listener":   `addEventListener("unhandledrejection", (e) => { e.preventDefault(); Promise.reject(1); }); Promise.reject(1); return new Promise(() => {});`,
	"rejection handled":    `addEventListener("rejectionhandled", () => { for (;;); }); const p = Promise.reject(1); setTimeout(() => p.catch(() => {})); return new Promise(() => {});`,
	"abort listener":       `AbortSignal.any([AbortSignal.timeout(1)]).onabort = () => { for (;;); }; return new Promise(() => {});`,
	"clone: getter":        `structuredClone({ get x() { for (;;); } })`,
	"clone: prototypes":    `const h = { getPrototypeOf: () => new Proxy({}, h) }; structuredClone(Object.create(new Proxy({}, h)))`,
	"clone: transfer list": `structuredClone(1, { transfer: { [Symbol.iterator]: () => ({ next() { for (;;); } }) } })`,
	"message":              `const { port1, port2 } = new MessageChannel(); port2.onmessage = () => { for (;;); }; port1.postMessage(1); return new Promise(() => {});`,
}

// growing takes memory without end, in every construct that can.
var growing = map[string]string{
	"array push":        `const a = []; for (;;) a.push(a.length);`,
	"array of arrays":   `const a = []; for (;;) a.push([1, 2, 3]);`,
	"objects":           `const a = []; for (;;) a.push({ a: 1, b: 2 });`,
	"properties":        `const o = {}; for (let i = 0; ; i++) o["k" + i] = i;`,
	"symbols":           `const o = {}; for (;;) o[Symbol()] = 1;`,
	"atoms":             `for (let i = 0; ; i++) Symbol.for("s" + i);`,
	"linked list":       `let l = null; for (;;) l = { l };`,
	"map":               `const m = new Map(); for (let i = 0; ; i++) m.set(i, {});`,
	"set":               `const s = new Set(); for (let i = 0; ; i++) s.add("x" + i);`,
	"weak map":          `const m = new WeakMap(), keep = []; for (;;) { const k = {}; keep.push(k); m.set(k, k); }`,
	"string doubling":   `let s = "x"; for (;;) s += s;`,
	"string appending":  `let s = "", i = 0; for (;;) s += "0123456789".repeat(100) + i++;`,
	"string repeat":     `"x".repeat(1 << 29)`,
	"string padding":    `"x".padEnd(1 << 29, "ab")`,
	"string join":       `Array(1 << 25).join("abcdef")`,
	"string replace":    `"x".repeat(1 << 20).replaceAll("x", "y".repeat(100))`,
	"normalize":         `"\ufdfa".repeat(1 << 22).normalize("NFKD")`,
	"toUpperCase":       `"ß".repeat(1 << 24).toUpperCase()`,
	"split":             `"x".repeat(1 << 23).split("")`,
	"spread string":     `[..."x".repeat(1 << 23)]`,
	"array buffer":      `new ArrayBuffer(1 << 30)`,
	"array buffers":     `const a = []; for (;;) a.push(new ArrayBuffer(100000));`,
	"resizable buffer":  `const b = new ArrayBuffer(1, { maxByteLength: 1 << 30 }); b.resize(1 << 30)`,
	"shared buffers":    `const a = []; for (;;) a.push(new SharedArrayBuffer(100000));`,
	"typed arrays":      `const a = []; for (;;) a.push(new Float64Array(1000));`,
	"array fill":        `Array(1e8).fill(0)`,
	"array from":        `Array.from({ length: 1e8 })`,
	"array concat":      `let a = [1]; for (;;) a = a.concat(a);`,
	"array flat":        `const a = Array(1000).fill(Array(1000).fill([1, 2, 3])); a.flat(Infinity).concat(a.flat(2))`,
	"bigint shift":      `1n << (1n << 30n)`,
	"bigint power":      `2n ** (2n ** 28n)`,
	"bigint squares":    `let x = 12345678901234567890n; for (;;) x = x << 1000000n;`,
	"closures":          `const a = []; for (;;) { const x = [1]; a.push(() => x); }`,
	"generators":        `const a = []; for (;;) { const g = (function* () { yield 1; })(); g.next(); a.push(g); }`,
	"promises":          `const a = []; for (;;) a.push(new Promise(() => {}));`,
	"pending awaits":    `const f = async () => { await new Promise(() => {}); }; const a = []; for (;;) a.push(f());`,
	"microtasks":        `const f = () => { queueMicrotask(f); queueMicrotask(f); }; f(); return new Promise(() => {});`,
	"rejections":        `const a = []; for (;;) a.push(Promise.reject(new Error("x")));`,
	"errors":            `const a = []; for (;;) a.push(new Error("x"));`,
	"functions":         `const a = []; for (let i = 0; ; i++) a.push(new Function("return " + i));`,
	"long source":       `eval("0;".repeat(1 << 22))`,
	"long array source": `eval("[" + "{},".repeat(1 << 20) + "]")`,
	"regexps":           `const a = []; for (let i = 0; ; i++) a.push(new RegExp("a{" + (i % 1000) + "}b" + i));`,
	"regexp repeats":    `new RegExp("(?:(?:(?:(?:a{1,1000}){1,1000}){1,1000}){1,1000})").test("a".repeat(100000)), (() => { const a = []; for (;;) a.push([]); })()`,
	"regexp captures":   `/(?:(a)|b)*/.exec("ab".repeat(1 << 22)), (() => { const a = []; for (;;) a.push([]); })()`,
	"regexp matches":    `"x".repeat(1 << 22).match(/x/g)`,
	"JSON.stringify":    `JSON.stringify(Array(1e9))`,
	"JSON indent":       `const a = Array(100000).fill([]); let x = a; for (let i = 0; i < 50; i++) x = [x]; JSON.stringify(x, null, "          ").repeat(100)`,
	"JSON.parse":        `JSON.parse("[" + "{},".repeat(1 << 21) + "{}]")`,
	"proxies":           `const a = []; for (;;) a.push(new Proxy({}, {}));`,
	"classes":           `const a = []; for (;;) a.push(class { x = 1; m() {} });`,
	"dates":             `const a = []; for (;;) a.push(new Date());`,
	"iterators":         `const a = []; for (;;) a.push([1][Symbol.iterator]());`,
	"finalizers":        `const r = new FinalizationRegistry(() => {}), a = []; for (;;) { const o = {}; a.push(o); r.register(o, {}); }`,
	"weak refs":         `const a = []; for (;;) { const o = {}; a.push(o, new WeakRef(o)); }`,
	"console labels":    `for (let i = 0; ; i++) { console.count("l" + i + "x".repeat(10000)); if (i > 1500) { const a = []; for (;;) a.push([]); } }`,
	"caught":            `const keep = []; for (;;) try { const a = []; for (;;) { a.push([]); keep.push(a); } } catch {}`,
	"arguments":         `const a = Array(6000).fill(0), keep = []; const f = (...r) => { keep.push(r); }; for (;;) f(...a);`,
	"setters caught":    `const o = {}; let i = 0; for (;;) { try { o["p" + i++] = "x".repeat(1000) + i; } catch { } }`,
	"events":            `const a = []; for (;;) a.push(new Event("x"));`,
	"listeners":         `const t = new EventTarget(); for (let i = 0; ; i++) t.addEventListener("x" + i, () => {});`,
	"in a listener":     `const t = new EventTarget(), keep = []; t.addEventListener("x", () => { for (;;) keep.push([]); }); for (;;) t.dispatchEvent(new Event("x"));`,
	"in onerror":        `globalThis.onerror = () => { const a = []; for (;;) a.push([]); }; reportError(1); return 1;`,
	"in a rejection's":  `globalThis.onunhandledrejection = () => { const a = []; for (;;) a.push([]); }; Promise.reject(1); return new Promise(() => {});`,
	"signals":           `const c = new AbortController(), a = []; for (;;) a.push(AbortSignal.any([c.signal]));`,
	"clones":            `const a = []; for (;;) a.push(structuredClone({ x: [1, 2, new Map([[1, 2]])] }));`,
	"clone of a large":  `const a = Array(1 << 18).fill(0); for (;;) structuredClone([a, a.slice(), structuredClone(a), structuredClone(new ArrayBuffer(1 << 22))]);`,
	"transfer list":     `structuredClone(1, { transfer: { *[Symbol.iterator]() { for (;;) yield {}; } } })`,
	"messages":          `const { port1 } = new MessageChannel(); for (;;) port1.postMessage("x".repeat(1000) + Math.random());`,
	"base64":            `const a = []; for (;;) a.push(atob(btoa("x".repeat(1000))));`,
}

const hostileHeap = 12 << 20

// hostile runs one function under tight limits. It returns how the function,
// or the program, ended, as its error.
func hostile(t *testing.T, source string, edit func(*engine.Program)) (*bench, error) {
	p := program("export function f() { " + source + " }\nexport const alive = () => 42;")
	p.Heap, p.Turn = hostileHeap, 60*time.Millisecond
	edit(&p)
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = b.do(context.Background(), "f", "")
	t.Logf("%v after %v", err, time.Since(began).Round(time.Millisecond))
	return b, err
}

// TestEndless holds that the time limit ends every endless loop, and that
// nothing in the guest stops it from doing so.
func TestEndless(t *testing.T) {
	for name, source := range endless {
		t.Run(name, func(t *testing.T) {
			b, err := hostile(t, source, func(*engine.Program) {})
			if err != nil { // else the loop began when the function had returned
				wantExit(t, err, mp.CauseCallLimit)
			}
			wantExit(t, b.ended(), mp.CauseCallLimit)
			if _, err := b.do(context.Background(), "alive", ""); err == nil {
				t.Error("a program that has ended answered a call")
			}
		})
	}
}

// tooLong are the errors for what may not be so large on any heap.
var tooLong = map[string]bool{
	"string too long": true, "invalid string length": true, "BigInt is too large": true, "BigInt is too large to allocate": true,
	"invalid array buffer length": true, "invalid count": true, "invalid repeat count": true,
}

// slow are those that catch the error and go on, or take long to fill the heap.
var slow = map[string]bool{"caught": true, "setters caught": true, "atoms": true}

// TestGrowing holds that the heap's limit ends whatever grows, unless the guest
// catches the error for ever, and that memory outside of the heap stays flat.
func TestGrowing(t *testing.T) {
	notUnderRace(t)
	for name, source := range growing {
		t.Run(name, func(t *testing.T) {
			outside := outsideMemory(t)
			b, err := hostile(t, source, func(p *engine.Program) {
				if !slow[name] {
					p.Turn = 20 * time.Second
				} else {
					p.Turn = time.Second
				}
			})
			var exit *engine.Exit
			var guest *mp.GuestError
			switch {
			case errors.As(err, &exit) && exit.Cause == mp.CauseMemoryLimit:
			case errors.As(err, &exit) && exit.Cause == mp.CauseCallLimit && slow[name]:
			case errors.As(err, &guest) && tooLong[guest.Message]:
				if got := b.must("alive", ""); got != "42" {
					t.Errorf("afterwards: %s", got)
				}
			default:
				t.Errorf("got %v", err)
			}
			if k := resident(t); k > (hostileHeap+int(imageSize(t))+2<<20)>>10 {
				t.Errorf("%d KiB of the heap are resident; its limit is %d beside the image", k, hostileHeap>>10)
			}
			if grown := outsideMemory(t) - outside; grown > 24<<10 {
				t.Errorf("memory outside of the heap grew by %d KiB", grown)
			}
		})
	}
}

// TestUninterruptible lists what QuickJS does in one go, without a look at the
// clock: each ends, but late. Whoever runs the process must kill it when it
// has not ended a second after its deadline.
func TestUninterruptible(t *testing.T) {
	notUnderRace(t)
	for name, source := range map[string]string{
		"bigint to string":  `String(7n ** 150000n)`,
		"bigint product":    `const x = 7n ** 200000n; x * x`,
		"bigint remainder":  `const x = 7n ** 300000n; x % (x >> 1000n)`,
		"sort of numbers":   `const a = Float64Array.from({ length: 500000 }, Math.random); a.sort()`,
		"array includes":    `const a = Array(1e6).fill(0); for (let i = 0; i < 10; i++) a.includes(1)`,
		"typed array fill":  `const a = new Uint8Array(16 << 20); a.fill(1)`,
		"string search":     `"a".repeat(1 << 19).includes("a".repeat(1000) + "b")`,
		"sparse stringify":  `try { JSON.stringify(Array(1e7)) } catch {}`,
		"sparse join":       `try { Array(1e7).join() } catch {}`,
		"sparse forEach":    `Array(1e7).forEach(() => {})`,
		"lastIndexOf":       `Array(1e7).lastIndexOf(1)`,
		"copyWithin":        `Array(1e6).copyWithin(1, 0)`,
		"reverse of sparse": `Array(1e6).reverse()`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hostile(t, source+"; return 1", func(p *engine.Program) { p.Turn = 50 * time.Millisecond })
			var exit *engine.Exit
			var guest *mp.GuestError
			if err != nil && !errors.As(err, &exit) && !errors.As(err, &guest) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestFrames holds that large frames count against the stack's limit: they are
// outside of the heap.
func TestFrames(t *testing.T) {
	notUnderRace(t)
	for name, source := range map[string]string{
		"variables": recursions["many variables"],
		"arguments": `(() => { const f = new Function("f", Array.from({ length: 60000 }, (_, i) => "a" + i).join(), "return f(f) + a0"); return f(f); })()`,
		"operands":  `(() => { const f = new Function("f", "return [" + "f(f),".repeat(1) + "1,".repeat(60000) + "]"); return f(f); })()`,
	} {
		t.Run(name, func(t *testing.T) {
			before := outsideMemory(t)
			b := mustStart(t, recursionHarness)
			if got := b.must("f", fmt.Sprintf("%q", source)); got != `"InternalError: stack overflow"` {
				t.Errorf("got %s", got)
			}
			grown := outsideMemory(t) - before
			t.Logf("%d KiB more outside of the heap", grown)
			if grown > 80<<10 {
				t.Errorf("memory outside of the heap grew by %d KiB", grown)
			}
		})
	}
}
