package sourcemap

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func parse(t *testing.T, text string) *Map {
	t.Helper()
	m, err := Parse(strings.NewReader(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The map of the Source Map specification's own kind: two lines, gaps, one
// segment that comes from nowhere, names.
func TestFind(t *testing.T) {
	// Line 0: column 0 ← a 0:0, column 4 ← a 0:8, column 9 ← nowhere.
	// Line 2: column 2 ← b 5:1, with a name.
	m := parse(t, `{"version":3,"sources":["a.ts","b.ts"],"names":["f"],"mappings":"AAAA,IAAQ,K;;ECKPA"}`)
	for _, c := range []struct {
		at   Place
		want Origin
	}{
		{Place{0, 0}, Origin{"a.ts", 0, 0}},
		{Place{0, 3}, Origin{"a.ts", 0, 0}},
		{Place{0, 4}, Origin{"a.ts", 0, 8}},
		{Place{0, 9}, Origin{}},
		{Place{0, 99}, Origin{}},
		{Place{1, 0}, Origin{}},
		{Place{2, 0}, Origin{}},
		{Place{2, 2}, Origin{"b.ts", 5, 1}},
		{Place{2, 70}, Origin{"b.ts", 5, 1}},
		{Place{3, 0}, Origin{}},
		{Place{1 << 40, 0}, Origin{}},
		{Place{-1, -1}, Origin{}},
	} {
		if got := m.Find([]Place{c.at}); got[0] != c.want {
			t.Errorf("%v: %v, want %v", c.at, got[0], c.want)
		}
	}
	if got := m.Find([]Place{{2, 2}, {0, 4}, {2, 2}}); fmt.Sprint(got) != "[{b.ts 5 1} {a.ts 0 8} {b.ts 5 1}]" {
		t.Errorf("together: %v", got)
	}
}

func TestSourceNames(t *testing.T) {
	for _, c := range []struct{ dir, root, source, want string }{
		{"", "", "src/a.ts", "src/a.ts"},
		{"dist", "", "../src/a.ts", "src/a.ts"},
		{"", "", "../src/a.ts", "../src/a.ts"},
		{"dist", "/work", "a.ts", "/work/a.ts"},
		{"", "root/", "a.ts", "root/a.ts"},
		{"dist", "", "webpack://app/./src/a.ts", "webpack://app/./src/a.ts"},
		{"", "", "a\nb.ts", ""},
		{"", "", "a\u202eb.ts", ""},
		{"", "", "a(b).ts", ""},
		{"", "", strings.Repeat("a", 257), ""},
	} {
		if got := nameOf(c.dir, c.root, c.source); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          ``,
		"no object":        `[]`,
		"cut off":          `{"version":3,"sources":["a"],"mappings":"AAAA"`,
		"version 2":        `{"version":2,"sources":["a"],"mappings":"AAAA"}`,
		"no version":       `{"sources":["a"],"mappings":"AAAA"}`,
		"no mappings":      `{"version":3,"sources":["a"]}`,
		"no sources":       `{"version":3,"mappings":"AAAA"}`,
		"mappings no text": `{"version":3,"sources":["a"],"mappings":[1]}`,
		"sources no array": `{"version":3,"sources":{"a":1},"mappings":"AAAA"}`,
		"source no text":   `{"version":3,"sources":[[]],"mappings":"AAAA"}`,
		"sections":         `{"version":3,"sections":[{"offset":{},"map":{}}]}`,
		"many sources":     `{"version":3,"mappings":"AAAA","sources":[""` + strings.Repeat(`,""`, maxSources) + `]}`,
		"large":            `{"version":3,"sources":["a"],"x":"` + strings.Repeat("x", MaxMap) + `","mappings":"AAAA"}`,
		"large mappings":   `{"version":3,"sources":["a"],"mappings":"` + strings.Repeat("A", maxMappings+1) + `"}`,
		"deep":             `{"x":` + strings.Repeat("[", 100000),
	} {
		if _, err := Parse(strings.NewReader(text), ""); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A real bundler's map, against what Node makes of it where Node is there.
func TestRealMap(t *testing.T) {
	r := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Sourcefile: "src/main.ts", Loader: api.LoaderTS, Contents: `
interface Money { cents: number }
export function pay(m: Money): string {
	if (m.cents < 0) {
		throw new Error("negative");
	}
	return String(m.cents);
}`},
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true, Sourcemap: api.SourceMapExternal, Outfile: "dist/app.js", Write: false, Bundle: true, Format: api.FormatESModule,
	})
	if len(r.Errors) > 0 || len(r.OutputFiles) != 2 {
		t.Fatal(r.Errors)
	}
	var code, text string
	for _, f := range r.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			text = string(f.Contents)
		} else {
			code = string(f.Contents)
		}
	}
	m, err := Parse(strings.NewReader(text), "")
	if err != nil {
		t.Fatal(err)
	}
	column := strings.Index(code, "Error(")
	got := m.Find([]Place{{0, column}})[0]
	if got.Source != "src/main.ts" || got.Line != 4 {
		t.Errorf("%s at %d: %+v", code, column, got)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Log("without Node: not compared")
		return
	}
	out, err := exec.Command(node, "-e", fmt.Sprintf(`const e = new (require("module").SourceMap)(%s).findEntry(0, %d); console.log(e.originalLine, e.originalColumn)`, text, column)).CombinedOutput()
	if want := fmt.Sprintf("%d %d\n", got.Line, got.Column); err != nil || string(out) != want {
		t.Errorf("Node says %s (%v), want %s", out, err, want)
	}
}

// FuzzFind holds that whatever a map says, looking places up ends, and gives
// nothing that a line of text could not hold.
func FuzzFind(f *testing.F) {
	f.Add(`{"version":3,"sources":["a.ts","b.ts"],"names":["f"],"mappings":"AAAA,IAAQ,K;;ECKPA"}`, 0, 4)
	f.Add(`{"version":3,"sources":["a"],"mappings":"+/////DAAA,DDDD;D"}`, 1, 0)
	f.Add(`{"version":3,"sources":[null],"sourceRoot":null,"x":{"y":[1,{}]},"mappings":"AAAA"}`, 0, 0)
	f.Fuzz(func(t *testing.T, text string, line, column int) {
		m, err := Parse(strings.NewReader(text), "dir")
		if err != nil {
			return
		}
		o := m.Find([]Place{{line, column}, {0, 0}})
		for _, o := range o {
			if o.Source == "" && o != (Origin{}) || o.Line < 0 || o.Column < 0 || len(o.Source) > maxName || strings.ContainsAny(o.Source, "\n()") {
				t.Fatalf("%+v", o)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	m := &Map{sources: []string{"a"}, mappings: strings.Repeat("EAEC,", 300000)}
	b.SetBytes(int64(len(m.mappings)))
	for b.Loop() {
		m.Find([]Place{{0, 1 << 30}})
	}
}
