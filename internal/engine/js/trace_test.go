package js

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const moneySource = `
interface Money { cents: number }

function check(m: Money): void {
	if (m.cents < 0) {
		throw new RangeError("negative");
	}
}

export function pay(m: Money): string {
	check(m);
	return String(m.cents);
}
export function later(m: Money): void {
	setTimeout(() => check(m));
}
export function reject(m: Money): void {
	Promise.resolve(m).then(check);
}
`

// bundled is a package of what a bundler makes of moneySource, as app.js.
func bundled(t *testing.T, kind api.SourceMap) fstest.MapFS {
	t.Helper()
	r := api.Build(api.BuildOptions{
		Stdin:     &api.StdinOptions{Sourcefile: "src/money.ts", Loader: api.LoaderTS, Contents: moneySource},
		Sourcemap: kind, Outfile: "app.js", Bundle: true, Format: api.FormatESModule,
		MinifyWhitespace: true, MinifySyntax: true, KeepNames: true,
	})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors)
	}
	m := fstest.MapFS{}
	for _, f := range r.OutputFiles {
		m[path.Base(f.Path)] = &fstest.MapFile{Data: f.Contents}
	}
	return m
}

func TestSourceMaps(t *testing.T) {
	for name, kind := range map[string]api.SourceMap{
		"named": api.SourceMapLinked, "beside": api.SourceMapExternal, "inline": api.SourceMapInline,
	} {
		t.Run(name, func(t *testing.T) {
			p := program("")
			p.Files = bundled(t, kind)
			b, err := start(t, p)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from memory
				_, err = b.do(t.Context(), "pay", `{"cents":-1}`)
				var g *mp.GuestError
				if !errors.As(err, &g) || !strings.Contains(g.Stack, "at check (src/money.ts:6:13)\n") || !strings.Contains(g.Stack, "at pay (src/money.ts:11:") {
					t.Errorf("%v\n%s", err, g.Stack)
				}
			}
			b.must("later", `{"cents":-1}`)
			b.must("reject", `{"cents":-1}`)
			for strings.Count(b.logs.String(), "Uncaught") < 2 {
				b.must("pay", `{"cents":1}`)
			}
			if n := strings.Count(b.logs.String(), "at check (src/money.ts:6:13)"); n != 2 {
				t.Errorf("%d of the uncaught errors are mapped:\n%s", n, b.logs)
			}
		})
	}
}

// Errors of the module's evaluation are mapped, too.
func TestSourceMapAtLoad(t *testing.T) {
	p := program("")
	files := bundled(t, api.SourceMapLinked)
	files["app.js"].Data = []byte(strings.Replace(string(files["app.js"].Data), "export{", `check({cents:-1});export{`, 1))
	p.Files = files
	_, err := start(t, p)
	var g *mp.GuestError
	if !errors.As(err, &g) || !strings.Contains(g.Stack, "at check (src/money.ts:6:13)") {
		t.Errorf("%v\n%+v", err, g)
	}
}

// A map that cannot be used, or that lies, leaves the trace as it is or makes it
// a line of text.
func TestBadSourceMaps(t *testing.T) {
	const app = "export function f() { throw new Error('x') }\n"
	encoded, _ := json.Marshal("a\n    at evil (b.js:1:1)")
	for name, c := range map[string]struct{ comment, text, want string }{
		"none":             {"", "", "(app.js:1:"},
		"missing":          {"//# sourceMappingURL=no.map", "", "(app.js:1:"},
		"outside":          {"//# sourceMappingURL=../../etc/passwd", "", "(app.js:1:"},
		"not JSON":         {"", "AAAA", "(app.js:1:"},
		"wrong data":       {"//# sourceMappingURL=data:application/json;base64,%%%", "", "(app.js:1:"},
		"not base64":       {"//# sourceMappingURL=data:application/json,{}", "", "(app.js:1:"},
		"line break":       {"", `{"version":3,"sources":[` + string(encoded) + `],"mappings":"AAAA"}`, "(app.js:1:"},
		"control":          {"", `{"version":3,"sources":["a\u001b[2J"],"mappings":"AAAA"}`, "(app.js:1:"},
		"elsewhere":        {"", `{"version":3,"sources":["a"],"mappings":";;;AAAA"}`, "(app.js:1:"},
		"of no such place": {"", `{"version":3,"sources":["a"],"mappings":"ACAA"}`, "(app.js:1:"},
		"right":            {"", `{"version":3,"sources":["a"],"mappings":"AAAA"}`, "(a:1:1)"},
	} {
		t.Run(name, func(t *testing.T) {
			p := program("")
			m := fstest.MapFS{"app.js": {Data: []byte(app + c.comment)}}
			if c.text != "" {
				m["app.js.map"] = &fstest.MapFile{Data: []byte(c.text)}
			}
			p.Files = m
			b, err := start(t, p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.do(context.Background(), "f", "")
			var g *mp.GuestError
			if !errors.As(err, &g) || !strings.Contains(g.Stack, c.want) || strings.Contains(g.Stack, "\n") {
				t.Errorf("%v\n%q", err, g.Stack)
			}
		})
	}
}

// hasOddNumber finds what would be written otherwise: +1, 01.
var hasOddNumber = regexp.MustCompile(`:(\+|0\d)`)

// FuzzFrames holds that a trace without maps stays as it is, and one with a map
// keeps its lines.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{"    at f (app.js:1:2)\n    at app.js:1:3\n", "Error: x\n    at (:1:1)", "    at a:b:c (a/b.js:0:0)", " at :::", "    at f (app.js:9223372036854775807:1)"} {
		f.Add(s)
	}
	files := fstest.MapFS{"app.js": {}, "app.js.map": {Data: []byte(`{"version":3,"sources":["a"],"mappings":"AAAA"}`)}}
	f.Fuzz(func(t *testing.T, text string) {
		e := &Engine{}
		e.program.Files = fstest.MapFS{}
		if got := e.original(text); got != text && !strings.Contains(text, commonJS) && !hasOddNumber.MatchString(text) {
			t.Fatalf("%q became %q", text, got)
		}
		e = &Engine{}
		e.program.Files = files
		if got := e.original(text); strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
