package worker

import (
	"strings"
	"testing"
)

func TestParseRole(t *testing.T) {
	for args, want := range map[string]struct {
		role Role
		ok   bool
	}{
		"":              {Role{}, true},
		"native":        {Role{Native: true}, true},
		"learn":         {Role{Learn: true}, true},
		"native learn":  {Role{Native: true, Learn: true}, true},
		"learn native":  {ok: false},
		"version":       {ok: false},
		"native native": {ok: false},
		"native x":      {ok: false},
		"wasm":          {Role{Wasm: true}, true},
		"wasm-compile":  {Role{Compile: true}, true},
		"wasm learn":    {ok: false},
	} {
		if role, ok := ParseRole(strings.Fields(args)); ok != want.ok || ok && role != want.role {
			t.Errorf("%s: %+v, %t", args, role, ok)
		}
	}
}
