package conformance

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

const declarations = "../../cmd/mpsupervisor/dist/mp.d.ts"

// TestDeclarations holds the declarations that `mpsupervisor types` writes
// against the object that they declare.
func TestDeclarations(t *testing.T) {
	b, err := os.ReadFile(declarations)
	if err != nil {
		t.Fatal(err)
	}
	r := api.Transform(string(b), api.TransformOptions{Loader: api.LoaderTS})
	for _, m := range append(r.Errors, r.Warnings...) {
		t.Errorf("%s:%d: %s", declarations, m.Location.Line, m.Text)
	}
	declared, there := declaredMembers(t, string(b)), membersOfMp(t)
	if !slices.Equal(declared, there) {
		t.Errorf("%s declares %q, and mp has %q", declarations, declared, there)
	}
}

// declaredMembers are the names in the interface MiniProgram, sorted. Each
// member begins a line that is indented by two spaces.
func declaredMembers(t *testing.T, text string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\ninterface MiniProgram ")
	body, _, closed := strings.Cut(rest, "\n}")
	if !ok || !closed {
		t.Fatalf("%s has no interface MiniProgram", declarations)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  (?:readonly )?([A-Za-z]\w*)\??[:(<]`).FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names) // a method's overloads
}

func membersOfMp(t *testing.T) []string {
	t.Helper()
	var names []string
	if err := openArea(t, "check.js").call("members", "", &names); err != nil {
		t.Fatal(err)
	}
	return names
}
