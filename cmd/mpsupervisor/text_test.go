package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
)

func FuzzPrintableJSON(f *testing.F) {
	for _, s := range []string{`{"a":"b\u001b"}`, "\"\u009b\u202e\"", "[ 1,\n2]", `"` + "\xff\x9b" + `"`, "\"\U000e0001\"", `{"a":1`, `null`, "\"\u2028\x7f\"", `8e500`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		safe, err := printableJSON(b)
		if err != nil {
			if json.Valid(b) {
				t.Errorf("%q is JSON: %v", b, err)
			}
			return
		}
		before, err := decode(b)
		if err != nil {
			t.Fatalf("%q is not JSON, and became %q", b, safe)
		}
		if after, err := decode(safe); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q: %v", b, safe, err)
		}
		if i := bytes.IndexFunc(safe, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q is in %q", safe[i], safe)
		}
	})
}

// decode keeps numbers as they are written: JSON has some that float64 has not.
func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func TestResultTables(t *testing.T) {
	tests := []struct{ json, want string }{
		{`{"b":"x","a":1.50}`, "b  x\na  1.50\n"},
		{`[{"n":1,"v":"a"},{"n":2,"w":null}]`, "n  v  w\n1  a\n2     null\n"},
		{`[1,"two"]`, "1\ntwo\n"},
		{`"text"`, "text\n"},
		{`null`, "null\n"},
		{`[]`, ""},
		{`{}`, ""},
		{`{"a":1,"a":2}`, "a  2\n"},
		{`{"t":"a\tb\nc"}`, `t  a b\x0ac` + "\n"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := printValue(&b, []byte(tt.json)); err != nil || b.String() != tt.want {
			t.Errorf("%s: %v\n%q, want\n%q", tt.json, err, b.String(), tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"memory", "memroy", 2}, {"abc", "", 3}, {"call", "calls", 1}, {"kitten", "sitting", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want || distance(tt.b, tt.a) != got {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 19: "1.5 MiB", 5 << 40: "5.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, c := range newRoot(&app{}).Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Short == "" || c.Example == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short %q, example %q", c.Name(), c.Short, c.Example)
		}
	}
}
