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
