package wasm

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Code that was compiled elsewhere is used, and what cannot be used is compiled
// again.
func TestCode(t *testing.T) {
	m := module{imports: abi, funcs: []function{{export: "f", body: code(constant(0), constant(2), invoke(fnOutput))}}, pages: 1, data: "42"}.assemble()
	good, err := Compile(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Compile(context.Background(), module{funcs: []function{{export: "g"}}}.assemble())
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, b byte) Code { c := bytes.Clone(good); c[at] ^= b; return c }
	// forge has a right checksum of a wrong content.
	forge := func(content []byte) Code { return newCode([keySize]byte(good), content) }
	content := good[codeHeader:]
	for _, c := range []struct {
		what, from string
		code       Code
	}{
		{"good", "loaded", good},
		{"none", "compiled", nil},
		{"for another processor", "compiled: the code is another module's, or for another processor", change(0, 1)},
		{"another module's", "compiled: the code is another module's, or for another processor", other},
		{"damaged", "compiled: the code is damaged: its checksum differs", change(len(good)-40, 1)},
		{"cut short", "compiled: the code is damaged: its checksum differs", good[:len(good)-30]},
		{"a key alone", "compiled: the code is damaged: it is cut short", good[:keySize]},
		{"another version's", "compiled: another version of wazero made the code", forge(slices.Concat(content[:7], []byte("x"), content[8:]))},
		{"nothing", "compiled: the code is damaged: ", forge(nil)},
		{"no magic", "compiled: the code is damaged: ", forge(slices.Concat([]byte("x"), content[1:]))},
		{"no end", "compiled: the code is damaged: ", forge(content[:len(content)-30])},
	} {
		r := start(t, program(m, nil), Own{Code: c.code})
		if !strings.HasPrefix(r.Loaded(), c.from) || c.from == "loaded" && r.Loaded() != c.from {
			t.Errorf("%s: %q, want %q", c.what, r.Loaded(), c.from)
		}
		if got, err := r.call("f", ""); got != "42" || err != nil {
			t.Errorf("%s: %s, %v", c.what, got, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	var threw *mp.GuestError
	if _, err := Compile(context.Background(), []byte("no module")); !errors.As(err, &threw) || threw.Name != "CompileError" {
		t.Errorf("got %v", err)
	}
}

// FuzzCode holds the way from a damaged entry to a program: it is compiled again.
func FuzzCode(f *testing.F) {
	m := module{funcs: []function{{export: "f"}}}.assemble()
	good, err := Compile(context.Background(), m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)-5]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, entry []byte) {
		e := New(&logs{})
		defer e.Close()
		if err := e.Prepare(context.Background(), program(m, nil), Own{Code: entry}); err != nil {
			t.Fatal(err)
		}
		if same := bytes.Equal(entry, good); same != (e.Loaded() == "loaded") {
			t.Errorf("%q", e.Loaded())
		}
	})
}

// FuzzPointers has the guest hand any pointer and size to each function.
func FuzzPointers(f *testing.F) {
	f.Add(uint8(0), int32(0), int32(0), int32(0), int32(0))
	f.Add(uint8(2), int32(-1), int32(-1), int32(65535), int32(2))
	f.Add(uint8(4), int32(0), int32(3), int32(65535), int32(1))
	f.Add(uint8(6), int32(7), int32(1<<30), int32(-1<<31), int32(0))
	f.Fuzz(func(t *testing.T, which uint8, a, b, c, d int32) {
		i := abi[int(which)%len(abi)]
		var body []byte
		for n := range i.params {
			body = append(body, constant([]int32{a, b, c, d}[n])...)
		}
		body = append(body, invoke(uint32(which)%uint32(len(abi)))...)
		if len(i.results) > 0 {
			body = append(body, opDrop...)
		}
		m := module{imports: abi, funcs: []function{{export: "f", body: body}, {export: "fine"}}, pages: 1, data: "log"}
		r := start(t, program(m.assemble(), nil), Own{})
		var threw *mp.GuestError
		if _, err := r.call("f", "{}"); err != nil && !errors.As(err, &threw) {
			t.Errorf("%s: %v", i.name, err)
		}
		if _, err := r.call("fine", ""); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
