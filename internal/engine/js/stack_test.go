package js

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// recursions are the ways to recurse without end, or deeper than any stack.
// Each is an expression that throws, or that handles whatever depth there is.
var recursions = map[string]string{
	"function":                 `(() => { const f = () => f() + 1; return f(); })()`,
	"many arguments":           `(() => { const f = (...a) => f(...a) + 1; return f(...Array(1000).fill(0)); })()`,
	"many variables":           `(() => { const f = new Function("f", "var " + Array.from({length: 60000}, (_, i) => "a" + i).join() + "; return f(f) + a0"); return f(f); })()`,
	"method":                   `({ m() { return this.m() + 1; } }).m()`,
	"constructor":              `(() => { class A { constructor() { new A().x; } } return new A(); })()`,
	"super":                    `(() => { class A { m() { return this.m(); } } class B extends A { m() { return super.m(); } } return new B().m(); })()`,
	"getter":                   `({ get g() { return this.g + 1; } }).g`,
	"setter":                   `(() => { const o = { set s(v) { this.s = v + 1; } }; o.s = 1; })()`,
	"proxy get":                `(() => { const p = new Proxy({}, { get(t, k, r) { return r[k] + 1; } }); return p.x; })()`,
	"proxy chain":              `(() => { let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); return p.x; })()`,
	"proxy as prototype":       `(() => { let p = new Proxy({}, {}); Object.setPrototypeOf(p, new Proxy({}, { get(t, k, r) { return r[k]; } })); return p.x; })()`,
	"proxy ownKeys":            `(() => { let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); return Object.keys(p); })()`,
	"proxy getPrototype":       `(() => { let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); return p instanceof Array; })()`,
	"bound chain":              `(() => { let f = () => 1; for (let i = 0; i < 4000; i++) f = f.bind(); return f(); })()`,
	"bound constructor":        `(() => { let f = class {}; for (let i = 0; i < 4000; i++) f = f.bind(); return new f(); })()`,
	"bound instanceof":         `(() => { let f = class {}; for (let i = 0; i < 4000; i++) f = f.bind(); return ({}) instanceof f; })()`,
	"apply":                    `(() => { function f() { return f.apply(this, arguments) + 1; } return f(1, 2); })()`,
	"Reflect.apply":            `(() => { function f() { return Reflect.apply(f, null, [1]) + 1; } return f(); })()`,
	"forEach":                  `(() => { const f = () => [1].forEach(f); return f(); })()`,
	"map and reduce":           `(() => { const f = () => [1, 2].map(f).reduce(f); return f(); })()`,
	"sort":                     `(() => { const f = () => [2, 1].sort(f) + 1; return f(); })()`,
	"replace callback":         `(() => { const f = () => "a".replace(/a/, f); return f(); })()`,
	"toString":                 `(() => { const o = { toString() { return "" + o; } }; return "" + o; })()`,
	"valueOf":                  `(() => { const o = { valueOf() { return +o; } }; return +o; })()`,
	"toPrimitive":              `(() => { const o = { [Symbol.toPrimitive]() { return o + 1; } }; return o + 1; })()`,
	"generator":                `(() => { function* g() { yield* g(); } return [...g()]; })()`,
	"generator chain":          `(() => { function* id(x) { yield* x; } let g = [1]; for (let i = 0; i < 50000; i++) g = id(g); return [...g]; })()`,
	"generators in for":        `(() => { function* id(x) { for (const v of x) yield v; } let g = [1]; for (let i = 0; i < 50000; i++) g = id(g); for (const v of g); })()`,
	"iterator wrappers":        `(() => { let g = { next() { return { done: true }; } }; for (let i = 0; i < 50000; i++) { const inner = g; g = Iterator.from({ next: () => inner.next() }); } for (const v of g); })()`,
	"iterator drop":            `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) g = g.drop(0); for (const v of g); return "fine"; })()`,
	"iterator take":            `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) g = g.take(9); for (const v of g); return "fine"; })()`,
	"iterator filter":          `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) g = g.filter(() => true); g.next(); })()`,
	"iterator flatMap":         `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) { const h = g; g = [1].values().flatMap(() => [h]).flatMap((x) => x); } try { g.next(); } catch {} return "fine"; })()`,
	"iterator concat":          `(() => { let g = [1]; for (let i = 0; i < 50000; i++) g = Iterator.concat(g); for (const v of g); })()`,
	"iterator return":          `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) g = g.map((x) => x); try { g.return(); } catch (e) { if (!/overflow|not a function/.test(e)) throw e; } throw "fine"; })()`,
	"for await":                `(() => { async function* id(x) { for await (const v of x) yield v; } let g = [1]; for (let i = 0; i < 20000; i++) g = id(g); g.next(); throw "fine"; })()`,
	"async iterators":          `(() => { async function* id(x) { yield* x; } let g = [1]; for (let i = 0; i < 20000; i++) g = id(g); g.next(); throw "fine"; })()`,
	"realm of bound":           `(() => { let f = class {}; for (let i = 0; i < 4000; i++) f = f.bind(); return Reflect.construct(Array, [], f), "fine"; })()`,
	"realm of proxy":           `(() => { let f = function () {}; for (let i = 0; i < 50000; i++) f = new Proxy(f, {}); return Reflect.construct(Array, [], f), "fine"; })()`,
	"iterator helpers":         `(() => { let g = [1].values(); for (let i = 0; i < 50000; i++) g = g.map((x) => x); return [...g]; })()`,
	"async function":           `(() => { const f = async () => { await f(); }; return f().catch(() => 0), "fine"; })()`,
	"destructuring":            `(() => { const f = ({ a = f({}) }) => a; return f({}); })()`,
	"default argument":         `(() => { const f = (a = f()) => a; return f(); })()`,
	"tagged template":          "(() => { const f = (s) => f`x`; return f`x`; })()",
	"eval":                     `(() => { globalThis.e = () => eval("e()"); return e(); })()`,
	"new Function":             `(() => { globalThis.e = () => new Function("return e()")(); return e(); })()`,
	"iterator protocol":        `(() => { const o = { [Symbol.iterator]() { return [...o]; } }; return [...o]; })()`,
	"hasInstance":              `(() => { const o = { [Symbol.hasInstance](v) { return v instanceof o; } }; return 1 instanceof o; })()`,
	"species":                  `(() => { class A extends Array { static get [Symbol.species]() { return new A(3).map((x) => x).constructor; } } return new A(3).map((x) => x); })()`,
	"static block":             `(() => { const f = () => { class A { static { f(); } } }; return f(); })()`,
	"defineProperty":           `(() => { const p = new Proxy({}, { defineProperty(t, k, d) { return Reflect.defineProperty(p, k, d); } }); p.x = 1; })()`,
	"proxy chain has":          `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); "x" in p; return "fine"; })()`,
	"proxy chain set":          `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); p.x = 1; return "fine"; })()`,
	"proxy chain delete":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); delete p.x; return "fine"; })()`,
	"proxy chain define":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.defineProperty(p, "x", { value: 1 }); return "fine"; })()`,
	"proxy chain descriptor":   `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.getOwnPropertyDescriptor(p, "x"); return "fine"; })()`,
	"proxy chain isExtensible": `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.isExtensible(p); return "fine"; })()`,
	"proxy chain prevent":      `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.preventExtensions(p); return "fine"; })()`,
	"proxy chain setPrototype": `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.setPrototypeOf(p, null); return "fine"; })()`,
	"proxy chain isArray":      `(() => { let p = []; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Array.isArray(p); return "fine"; })()`,
	"proxy chain stringify":    `(() => { let p = []; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); JSON.stringify(p); return "fine"; })()`,
	"proxy chain assign":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.assign({}, p); return "fine"; })()`,
	"proxy chain toString":     `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); String(p); return "fine"; })()`,
	"proxy chain spread":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); ({ ...p }); return "fine"; })()`,
	"proxy chain forin":        `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); (() => { for (const k in p); })(); return "fine"; })()`,
	"proxy chain freeze":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.freeze(p); return "fine"; })()`,
	"proxy chain hasOwn":       `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); Object.hasOwn(p, "x"); return "fine"; })()`,
	"proxy chain call":         `(() => { let p = () => 1; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); p(); })()`,
	"proxy chain new":          `(() => { let p = class {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); new p(); })()`,
	"proxy chain typeof":       `(() => { let p = class {}; for (let i = 0; i < 50000; i++) p = new Proxy(p, {}); return typeof p, "fine"; })()`,
	"proxy prototypes":         `(() => { let p = {}; for (let i = 0; i < 50000; i++) p = new Proxy(Object.create(p), {}); p.x; "x" in p; p.x = 1; })()`,

	"clone":                  `(() => { let x = []; for (let i = 0; i < 100000; i++) x = [x]; return structuredClone(x); })()`,
	"clone of maps":          `(() => { let x = 1; for (let i = 0; i < 100000; i++) x = new Map([[x, x]]); return structuredClone(x); })()`,
	"clone in a getter":      `(() => { const o = { get x() { return structuredClone(o); } }; return structuredClone(o); })()`,
	"dispatch in a listener": `(() => { const t = new EventTarget(), f = () => t.dispatchEvent(new Event("x")); t.addEventListener("x", f); f(); return "fine"; })()`,
	"dispatch in onerror":    `(() => { globalThis.onerror = () => { reportError(1); return true; }; reportError(1); globalThis.onerror = null; return "fine"; })()`,
	"abort in a listener":    `(() => { const f = () => { const c = new AbortController(); c.signal.onabort = f; c.abort(); }; f(); return "fine"; })()`,
	"signals of signals":     `(() => { const c = new AbortController(); let s = c.signal; for (let i = 0; i < 20000; i++) s = AbortSignal.any([s]); c.abort(); return "fine"; })()`,

	"parser: brackets":     `eval("[".repeat(100000))`,
	"parser: parentheses":  `eval("(".repeat(100000) + "1" + ")".repeat(100000))`,
	"parser: blocks":       `eval("{".repeat(100000))`,
	"parser: functions":    `eval("function f(){".repeat(20000) + "}".repeat(20000))`,
	"parser: arrows":       `eval("x=>".repeat(50000) + "1")`,
	"parser: unary":        `eval("!".repeat(100000) + "1")`,
	"parser: minus":        `eval("- ".repeat(100000) + "1")`,
	"parser: ternary":      `eval("1?".repeat(50000) + "1" + ":1".repeat(50000))`,
	"parser: templates":    "eval(\"`${\".repeat(50000))",
	"parser: power":        `eval("1**".repeat(100000) + "1")`,
	"parser: assignment":   `eval("var a;" + "a=".repeat(100000) + "1")`,
	"parser: if else":      `eval("if(0);else ".repeat(100000) + ";")`,
	"parser: labels":       `eval(Array.from({length: 50000}, (_, i) => "l" + i + ":").join("") + ";")`,
	"parser: new":          `eval("new ".repeat(100000) + "Array")`,
	"parser: patterns":     `eval("var " + "[".repeat(50000) + "a" + "]".repeat(50000) + "=1")`,
	"parser: object":       `eval("(" + "{a:".repeat(50000) + "1" + "}".repeat(50000) + ")")`,
	"parser: classes":      `eval("(class extends ".repeat(50000) + "Array {}" + "{})".repeat(50000))`,
	"parser: awaits":       `new (async () => {}).constructor("await ".repeat(100000) + "1")`,
	"parser: yields":       `new (function* () {}).constructor("yield ".repeat(100000) + "1")`,
	"parser: optional":     `eval("a?.[".repeat(50000) + "0" + "]".repeat(50000))`,
	"parser: long sum":     `eval("1" + "+1".repeat(100000)) === 100001 && (() => { throw "fine" })()`,
	"parser: long comma":   `eval("1" + ",1".repeat(100000)) === 1 && (() => { throw "fine" })()`,
	"parser: long chain":   `eval("var o = {}; o" + "?.o".repeat(20000)), "fine"`,
	"regexp: groups":       `new RegExp("(".repeat(100000) + ")".repeat(100000))`,
	"regexp: lookahead":    `new RegExp("(?=".repeat(100000) + ")".repeat(100000))`,
	"regexp: class sets":   `new RegExp("[".repeat(100000) + "a" + "]".repeat(100000), "v")`,
	"regexp: backtracking": `/^(?:a|b)*c/.test("ab".repeat(1000000)) || (() => { throw "fine" })()`,
	"regexp: nested stars": `new RegExp("(?:".repeat(5000) + "a" + ")*".repeat(5000)).test("b") && (() => { throw "fine" })()`,
	"regexp: reviver":      `JSON.parse("[[1]]", function f(k, v) { return JSON.parse("[[1]]", f); })`,

	"JSON.parse: arrays":       `JSON.parse("[".repeat(1000000))`,
	"JSON.parse: closed":       `JSON.parse("[".repeat(200000) + "]".repeat(200000))`,
	"JSON.parse: objects":      `JSON.parse('{"a":'.repeat(200000))`,
	"JSON.parse: reviver":      `JSON.parse("[".repeat(2000) + "]".repeat(2000), (k, v) => v) && (() => { throw "fine" })()`,
	"JSON.stringify: nested":   `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return JSON.stringify(a); })()`,
	"JSON.stringify: indent":   `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return JSON.stringify(a, null, 10); })()`,
	"JSON.stringify: toJSON":   `(() => { const o = { toJSON() { return JSON.stringify(o); } }; return JSON.stringify(o); })()`,
	"JSON.stringify: replacer": `JSON.stringify({ a: 1 }, () => ({ a: 1 }))`,
	"nested toString":          `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return String(a); })()`,
	"nested toLocaleString":    `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return a.toLocaleString(); })()`,
	"nested flat":              `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; return a.flat(Infinity); })()`,
	"nested console":           `(() => { let a = []; for (let i = 0; i < 200000; i++) a = [a]; console.dir(a, { depth: Infinity }); throw "fine"; })()`,
	"cyclic toString":          `(() => { const a = []; const b = { toString() { return String([a, b]); } }; a.push(b); return String(a); })()`,
	"error causes":             `(() => { let e = new Error("x"); for (let i = 0; i < 100000; i++) e = new Error("x", { cause: e }); console.log(e); throw "fine"; })()`,
	"rope":                     `(() => { let s = ""; for (let i = 0; i < 20000; i++) s = "ab" + s + "cd"; s.charCodeAt(5); s = s + s; throw s.length > 5 ? "fine" : "short"; })()`,
	"prototype chain":          `(() => { let o = {}; for (let i = 0; i < 200000; i++) o = Object.create(o); o.missing; throw "fine"; })()`,
	"promise chain":            `(() => { let p = Promise.resolve(); for (let i = 0; i < 100000; i++) p = p.then(() => {}); throw "fine"; })()`,
	"promises in promises":     `(() => { let p = Promise.resolve(1); for (let i = 0; i < 50000; i++) p = new Promise((r) => r(p)); throw "fine"; })()`,
	"closure chain":            `(() => { let f = () => 1; for (let i = 0; i < 200000; i++) { const g = f; f = () => g; } throw "fine"; })()`,
	"linked list freed":        `(() => { let l = null; for (let i = 0; i < 500000; i++) l = { l }; l = null; throw "fine"; })()`,
	"nested arrays freed":      `(() => { let l = []; for (let i = 0; i < 500000; i++) l = [l]; l = null; throw "fine"; })()`,
	"nested maps freed":        `(() => { let l = new Map(); for (let i = 0; i < 100000; i++) l = new Map([[l, l]]); l = null; throw "fine"; })()`,
	"structured weak":          `(() => { let k = {}; const w = new WeakMap(); for (let i = 0; i < 100000; i++) { const n = {}; w.set(k, n); k = n; } throw "fine"; })()`,
}

const recursionHarness = `export function f(source) {
	try { return String((0, eval)(source)); } catch (e) { return String(e).slice(0, 80); }
}
export const alive = () => [1, 2, 3].map((x) => x * 2).join();`

// TestRecursion holds that no recursion ends anything but itself, whatever
// recurses, and that the stack's limit bounds Go's stack.
func TestRecursion(t *testing.T) {
	notUnderRace(t)
	old := debug.SetGCPercent(-1) // collections shrink stacks
	defer debug.SetGCPercent(old)
	for name, source := range recursions {
		t.Run(name, func(t *testing.T) {
			p := program(recursionHarness)
			p.Heap = 256 << 20
			p.Stack = 4 << 20
			p.Turn = time.Minute // the machine may be busy
			b, err := start(t, p)
			if err != nil {
				t.Fatal(err)
			}
			before := stackInUse()
			got := b.must("f", fmt.Sprintf("%q", source))
			used := stackInUse() - before
			t.Logf("%s; %d KiB of stack", got, used>>10)
			if got != `"fine"` && got != `"InternalError: stack overflow"` && !strings.HasPrefix(got, `"SyntaxError: `) {
				t.Errorf("got %s", got)
			}
			// A stack doubles when it must: one that is larger than the limit, a
			// power of two, was used above it. slotBytes is too small then.
			if used > p.Stack {
				t.Errorf("it took %d bytes of stack; the limit is %d", used, p.Stack)
			}
			if got := b.must("alive", ""); got != `"2,4,6"` {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

func stackInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}
