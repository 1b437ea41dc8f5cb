package js

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

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
			b, err := start(t, p)
			var g *mp.GuestError
			if !errors.As(err, &g) || !strings.Contains(g.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if said := b.logs.String(); said != "" {
				t.Errorf("the error is on the console as well: %s", said)
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

func TestCommonJS(t *testing.T) {
	p := program("")
	p.Files = files(
		"app.js", `
			import lib, { add, name, late } from "./lib/main.cjs";
			import * as all from "./lib/main.cjs";
			export const f = () => [lib.add(1, 2), add(3, 4), name, late, all.default === lib, Object.keys(all).join()];
			export const again = async () => (await import("./lib/main.cjs")).default === lib && (await import("./lib/main.cjs")).count;
			export const single = async () => (await import("./lib/single.cjs")).default(20);
			export const tried = async (file) => { try { return Object.keys(await import(file)); } catch (e) { return e.name + ": " + e.message; } };`,
		"lib/main.cjs", `
			exports.count = (globalThis.count = (globalThis.count ?? 0) + 1);
			const { add } = require("./math");
			exports.add = add;
			exports.name = require("../data").name + require("./dir").where + __filename + __dirname;
			Object.defineProperty(exports, "late", { enumerable: true, get: () => "late" });
			Object.defineProperty(exports, "hidden", { value: 1 });
			undeclared = this === exports && module.exports === exports;`,
		"lib/math.js", `exports.before = require("./main.cjs").count; exports.add = (a, b) => a + b;`,
		"lib/dir/index.cjs", `module.exports = { where: "dir" };`,
		"data.json", `{"name": "data"}`,
		"lib/single.cjs", `module.exports = (x) => x + 1; // the end`,
		"bad/syntax.cjs", `function (`,
		"bad/throws.cjs", `throw new RangeError("at once")`,
		"bad/bare.cjs", `require("fs")`,
		"bad/out.cjs", `require("../../x")`,
		"bad/missing.cjs", `require("./nope")`,
		"bad/esm.cjs", `require("../m.mjs")`,
		"bad/json.cjs", `require("./broken.json")`, "bad/broken.json", "{",
		"bad/number.cjs", `require(5)`,
		"m.mjs", `export const a = 1;`,
	)
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, input, want string }{
		{"f", "", `[3,7,"datadir/lib/main.cjs/lib/","late",true,"add,count,default,late,name"]`},
		{"again", "", "1"},
		{"single", "", "21"},
		{"tried", `"./bad/syntax.cjs"`, "SyntaxError"},
		{"tried", `"./bad/throws.cjs"`, "RangeError: at once"},
		{"tried", `"./bad/bare.cjs"`, "ReferenceError: cannot require \\\"fs\\\" from bad/bare.cjs: only files of the package"},
		{"tried", `"./bad/out.cjs"`, "the path leaves the package"},
		{"tried", `"./bad/missing.cjs"`, "no such file in the package"},
		{"tried", `"./bad/esm.cjs"`, "TypeError: cannot require m.mjs: it is an ES module"},
		{"tried", `"./bad/json.cjs"`, "SyntaxError"},
		{"tried", `"./bad/number.cjs"`, "TypeError: require: the argument is not a string"},
		{"tried", `"./none.cjs"`, "no such file"},
	} {
		if got := b.must(c.name, c.input); !strings.Contains(got, c.want) {
			t.Errorf("%s(%s): %s, want %s", c.name, c.input, got, c.want)
		}
	}
}

// An entry may be CommonJS.
func TestCommonJSEntry(t *testing.T) {
	p := program("")
	p.Entry = "app.cjs"
	p.Files = files("app.cjs", `exports.double = (x) => 2 * x; exports.fail = () => { throw new Error("no") }; exports.n = 1;`)
	b, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(b.exports, " ") != "double fail" || b.must("double", "4") != "8" {
		t.Errorf("exports %q", b.exports)
	}
	_, err = b.do(t.Context(), "fail", "")
	var g *mp.GuestError
	if !errors.As(err, &g) || !strings.Contains(g.Stack, "(app.cjs:1:70)") || strings.Contains(g.Stack, "require,module") {
		t.Errorf("%v\n%+v", err, g.Stack)
	}
}

// Files that require each other, deeply or in a circle, overrun nothing.
func TestCommonJSDeep(t *testing.T) {
	const n = 3000
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("m%d.cjs", i), fmt.Sprintf(`exports.x = require("./m%d.cjs").x + 1;`, i+1))
	}
	pairs = append(pairs, fmt.Sprintf("m%d.cjs", n), `exports.x = 0; require("./m0.cjs");`, "app.js", `import { x } from "./m0.cjs"; export const f = () => x;`)
	p := program("")
	p.Files = files(pairs...)
	b, err := start(t, p)
	if err != nil {
		if !strings.Contains(err.Error(), "stack overflow") && !strings.Contains(err.Error(), "Maximum call stack") {
			t.Errorf("got %v", err)
		}
		return
	}
	if got := b.must("f", ""); got != fmt.Sprint(n) {
		t.Errorf("got %s", got)
	}
}

// What a module throws is told once if nobody handles its import, and not at all
// otherwise.
func TestModuleThrows(t *testing.T) {
	for _, kind := range []struct{ file, text string }{
		{"sync.js", `throw new Error("oh")`},
		{"async.js", `await null; throw new Error("oh")`},
		{"importer.js", `import "./sync.js"; export const a = 1;`},
		{"deep.js", `import "./importer.js"; await null;`},
		{"common.cjs", `throw new Error("oh")`},
	} {
		for action, want := range map[string]int{"handled": 0, "unhandled": 1} {
			p := program("")
			p.Files = files("app.js", `
				export const handled = (f) => import(f).catch((e) => e.message);
				export const unhandled = (f) => { import(f); };
				export const other = () => { Promise.reject(new Error("another")); };
				export const wait = () => new Promise((r) => setTimeout(r, 5));`,
				"sync.js", `throw new Error("oh")`, "importer.js", `import "./sync.js";`, kind.file, kind.text)
			t.Run(kind.file+" "+action, func(t *testing.T) {
				b, err := start(t, p)
				if err != nil {
					t.Fatal(err)
				}
				b.must(action, fmt.Sprintf("%q", "./"+kind.file))
				b.must("wait", "")
				if n := strings.Count(b.logs.String(), "Error: oh"); n != want {
					t.Errorf("told %d times, want %d:\n%s", n, want, b.logs)
				}
				b.must("other", "")
				b.must("wait", "")
				if n := strings.Count(b.logs.String(), "Error: another"); n != 1 {
					t.Errorf("another rejection was told %d times:\n%s", n, b.logs)
				}
			})
		}
	}
}
