package js

import (
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{`console.log("a", 1, true, null, undefined, "b")`, "info a 1 true null undefined b"},
		{`console.info("i"); console.warn("w"); console.error("e"); console.debug("d")`, "info i\nwarn w\nerror e\ndebug d"},
		{`console.log()`, "info "},
		{`console.log({ a: 1, "b-c": "x", [Symbol("s")]: 2n })`, "info { a: 1, 'b-c': 'x', [Symbol(s)]: 2n }"},
		{`console.log([1, "two", [3, [4, [5, [6]]]]])`, "info [ 1, 'two', [ 3, [ 4, [Array] ] ] ]"},
		{`console.log({ a: { b: { c: { d: 1 } } } })`, "info { a: { b: { c: [Object] } } }"},
		{`console.log([], {}, [,], [1,,,2], Array(5))`, "info [] {} [ <1 empty item> ] [ 1, <2 empty items>, 2 ] [ <5 empty items> ]"},
		{`console.log(new Map([["a", { b: 1 }]]), new Set([1, "x"]), new Map(), new Set())`, "info Map(1) { 'a' => { b: 1 } } Set(2) { 1, 'x' } Map(0) {} Set(0) {}"},
		{`const o = { x: 1 }; o.self = o; console.log(o)`, "info <ref *1> { x: 1, self: [Circular *1] }"},
		{`class P { constructor() { this.x = 1; } } console.log(new P(), P, class {}, class Q extends P {})`, "info P { x: 1 } [class P] [class (anonymous)] [class Q extends P]"},
		{`console.log(function f() {}, () => {}, async () => {}, Math.max)`, "info [Function: f] [Function (anonymous)] [AsyncFunction (anonymous)] [Function: max]"},
		{`console.log(new Date(0), new Date(NaN), /a\/b/gi, Symbol("x"), -0, 10n)`, "info 1970-01-01T00:00:00.000Z Invalid Date /a\\/b/gi Symbol(x) -0 10n"},
		{`console.log(Promise.resolve(1), new Promise(() => {}), (() => { const p = Promise.reject(2); p.catch(() => {}); return p; })())`, "info Promise { 1 } Promise { <pending> } Promise { <rejected> 2 }"},
		{`console.log(new Uint8Array([1, 2]), new ArrayBuffer(3), new WeakMap(), new WeakSet())`, "info Uint8Array(2) [ 1, 2 ] ArrayBuffer { byteLength: 3 } WeakMap { <items unknown> } WeakSet { <items unknown> }"},
		{`console.log(new Number(1), new String("s"), new Boolean(false), Object(1n), Object(Symbol("y")))`, "info [Number: 1] [String: 's'] [Boolean: false] [BigInt: 1n] [Symbol: Symbol(y)]"},
		{`console.log(Object.create(null), Object.create({ constructor: undefined }))`, "info [Object: null prototype] {} {}"},
		{`console.log({ get a() { throw 1 }, set b(v) {}, get c() { return 1 }, set c(v) {} })`, "info { a: [Getter], b: [Setter], c: [Getter/Setter] }"},
		{`console.log(new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 } }), { p: new Proxy([], {}) })`, "info [Proxy] { p: [Proxy] }"},
		{`console.log("it's", ["it's", 'a"b', "\n\t\x01", ""])`, "info it's [ \"it's\", 'a\"b', '\\n\\t\\x01', '' ]"},
		{`console.log("%s is %d years, %i, %f, %j %o %%, %x", "Bob", 42.5, 42.9, "1.5", {a:1}, [1], "rest")`, "info Bob is 42.5 years, 42, 1.5, {\"a\":1} [ 1 ] %, %x rest"},
		{`console.log("100%", 1); console.log("%s"); console.log("%c styled", "color: red")`, "info 100% 1\ninfo %s\ninfo  styled"},
		{`console.assert(true, "no"); console.assert(false, "yes", 1); console.assert(false)`, "error Assertion failed: yes 1\nerror Assertion failed"},
		{`console.count(); console.count("x"); console.count(); console.countReset(); console.count()`, "info default: 1\ninfo x: 1\ninfo default: 2\ninfo default: 1"},
		{`console.timeEnd("never")`, "warn Timer 'never' does not exist"},
		{`console.group("g"); console.log("a\nb"); console.groupEnd(); console.log("c")`, "info g\ninfo   a\n  b\ninfo c"},
		{`console.dir({ a: { b: { c: { d: { e: 1 } } } } }, { depth: 0 })`, "info { a: [Object] }"},
		{`console.log({ long: "x".repeat(60), b: "y".repeat(20) })`, "info {\n  long: '" + strings.Repeat("x", 60) + "',\n  b: 'yyyyyyyyyyyyyyyyyyyy'\n}"},
		{`console.log(Array.from({ length: 102 }, () => 0).length, globalThis === globalThis)`, "info 102 true"},
		{`console.log({ [Symbol.toStringTag]: "Tag" })`, "info Object [Tag] { [Symbol(Symbol.toStringTag)]: 'Tag' }"},
	} {
		t.Run(c.code, func(t *testing.T) {
			b := mustStart(t, "export function f() { "+c.code+" }")
			b.must("f", "")
			if got := b.logs.String(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestConsoleShowsErrors(t *testing.T) {
	b := mustStart(t, `
class AppError extends Error { name = "AppError"; }
export function f() {
	console.log(new TypeError("bad"));
	console.error(new AppError("mine", { cause: new Error("why") }));
	console.log({ e: new Error("inner") });
	const bare = new Error(); bare.stack = undefined; console.log(bare);
	console.trace("here");
}`)
	b.must("f", "")
	got := b.logs.String()
	for _, part := range []string{"info TypeError: bad\n    at f (app.js:4:", "error AppError: mine\n    at AppError (app.js:2:51)\n    at f (app.js:5:", "[cause]: Error: why", "info [Error]", "debug Trace: here\n    at f (app.js:8:"} {
		if !strings.Contains(got, part) {
			t.Errorf("there is no %q in\n%s", part, got)
		}
	}
	if strings.Contains(got, "mp:") {
		t.Errorf("frames of the prelude are shown:\n%s", got)
	}
}

// TestConsoleIsBounded holds that no value makes a line longer than is kept by
// much, nor takes long.
func TestConsoleIsBounded(t *testing.T) {
	b := mustStart(t, `
		const deep = (n) => n ? Array(100).fill(deep(n - 1)) : "x".repeat(1000), one = deep(1);
		export function f() {
			console.log("x".repeat(1e6));
			console.log(["x".repeat(1e6)], { a: "y".repeat(1e6) });
			console.dir(deep(4), { depth: Infinity });
			console.log(new Map(Array.from({ length: 1e4 }, (_, i) => [i, one])));
			console.log(new Array(4294967295));
			console.log(Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => ["k" + i, i])));
			console.log("%s".repeat(1e5), ...Array(1e4).fill("z".repeat(1e4)));
			console.log(7n ** 100000n);
			console.log(new Uint8Array(1e6)); console.log(Array(1e6).fill(0));
		}`)
	b.must("f", "")
	for i, line := range b.logs.lines {
		t.Log(i, len(line))
		if len(line) > 8300 {
			t.Errorf("line %d has %d bytes", i, len(line))
		}
	}
}
