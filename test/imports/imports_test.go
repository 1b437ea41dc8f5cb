// Package imports holds the rules of who may import whom, each with its
// reason. docs/architecture.md draws the same picture.
package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/mpsupervisor/mpsupervisor"

// rule bans packages from what others are built of. A pattern is a path
// relative to the module, or an import path; "/..." at its end covers what is
// below, too.
type rule struct {
	of     string   // the packages that the rule is about
	direct bool     // imports themselves only; else everything they draw in, too
	ours   bool     // what each of our packages that they draw in imports itself
	ban    []string // what they must not import
	except []string // but this is allowed
	reason string
}

const (
	libcontainer = "github.com/opencontainers/runc/..."
	libseccomp   = "github.com/seccomp/..."
	connect      = "connectrpc.com/..."
	quickjs      = "modernc.org/..."
	wazero       = "github.com/tetratelabs/..."
)

var rules = []rule{
	{of: "ipc/...", ban: []string{"internal/...", "isolate/...", "seccomp/...", "netpolicy/..."},
		reason: "a mechanism knows no message and no other mechanism"},
	{of: "seccomp/...", ban: []string{"internal/...", "isolate/...", "ipc/...", "netpolicy/..."},
		reason: "a mechanism knows no other mechanism"},
	{of: "isolate/...", ban: []string{"internal/...", "ipc/...", "netpolicy/..."},
		reason: "a mechanism knows no other mechanism; isolate alone may use seccomp"},
	{of: "internal/mp", ban: []string{"..."}, except: []string{"internal/mp"},
		reason: "everybody imports the nouns: they draw nothing in"},
	{of: "internal/wire", ban: []string{"..."}, except: []string{"internal/wire", "internal/mp", "github.com/fxamacker/cbor/...", "github.com/x448/float16"},
		reason: "what decodes hostile bytes stays small enough to read"},
	{of: "internal/bundle/...", ban: []string{"internal/...", "ipc/...", "isolate/...", "seccomp/..."}, except: []string{"internal/bundle/...", "internal/mp"},
		reason: "a package is checked the same way wherever it is read"},
	{of: "internal/engine/...", ban: []string{"internal/...", "ipc/...", "isolate/...", "seccomp/..."}, except: []string{"internal/engine/...", "internal/mp", "internal/wire", "internal/charset", "internal/weburl", "internal/compression"},
		reason: "an engine reaches its host through engine.Host alone; beside it there is only what computes"},
	{of: "internal/charset", ban: []string{"internal/..."}, except: []string{"internal/charset"},
		reason: "it decodes bytes, and reaches nothing"},
	{of: "internal/compression", ban: []string{"internal/..."}, except: []string{"internal/compression"},
		reason: "it makes bytes of bytes, and reaches nothing"},
	{of: "internal/weburl", ban: []string{"internal/..."}, except: []string{"internal/weburl", "internal/charset"},
		reason: "it parses text, and reaches nothing"},
	{of: "internal/image", ban: []string{"...", "internal/...", "ipc/...", "isolate/...", "seccomp/..."}, except: []string{"internal/image", "internal/mp", "golang.org/x/sys/..."},
		reason: "what holds the key knows neither workers nor what is in their images"},
	{of: "internal/monitor", direct: true, ban: []string{"...", "internal/...", "os", "net", "log/slog"}, except: []string{"internal/mp"},
		reason: "it judges what it is given: its caller has the clock and does the work"},
	{of: "internal/control", direct: true, ban: []string{"internal/supervisor/..."},
		reason: "the API does not know who serves it"},

	{of: "cmd/mpworker", ban: []string{"internal/control/...", "internal/supervisor/...", "internal/launch/...", "internal/bundle", "isolate", "isolate/cgroup", "isolate/verify", "seccomp/compile",
		libcontainer, libseccomp, connect, "google.golang.org/...", "net/http", "runtime/cgo"},
		reason: "a worker is hostile from its first guest byte: it links nothing that it must not use, and stays small and pure Go"},
	{of: "cmd/mpworker", ours: true, ban: []string{"net", "os/exec", "plugin"},
		reason: "a worker has one descriptor to talk to; the engine's libc names these packages too, so it is our own that are held to it"},
	{of: "cmd/mpsupervisor", ban: []string{"internal/engine/js", "internal/engine/wasm", wazero, "internal/worker", "isolate", "seccomp/compile", "internal/launch/server", libcontainer, libseccomp, quickjs, "runtime/cgo"},
		reason: "the supervisor holds no privilege and runs no guest code; it is pure Go"},
	{of: "cmd/mplauncher", ban: []string{"internal/engine/...", "internal/worker", "internal/control/...", "internal/supervisor/...", "internal/bundle/...", "internal/wire", "ipc/...", connect, quickjs, wazero, "net/http"},
		reason: "the launcher is root: it parses the supervisor's requests and nothing else, and its size is launch time"},
}

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// list returns the packages of a pattern as the given build sees them.
func list(t *testing.T, cgo string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-buildvcs=false", "-tags=osusergo,netgo", "-json=ImportPath,Imports,Deps"}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list %v: %v\n%s", args, err, &stderr)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// own tells our paths, and those of modules, from the standard library's.
func own(path string) bool { return strings.HasPrefix(path, module+"/") }
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// ourTops are the folders at the module's top: patterns that begin with one of
// them are ours, and not the standard library's.
var ourTops = map[string]bool{"cmd": true, "internal": true, "ipc": true, "isolate": true, "netpolicy": true, "seccomp": true, "test": true}

func matches(path, pattern string) bool {
	if pattern == "..." {
		return thirdParty(path)
	}
	if top, _, _ := strings.Cut(pattern, "/"); ourTops[top] {
		var ok bool
		if path, ok = strings.CutPrefix(path, module+"/"); !ok {
			return false
		}
	}
	if base, below := strings.CutSuffix(pattern, "/..."); below {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

func matchesAny(path string, patterns []string) bool {
	for _, p := range patterns {
		if matches(path, p) {
			return true
		}
	}
	return false
}

// broken returns the imports of p that r bans.
func (r rule) broken(p pkg) (bad []string) {
	imports := p.Deps
	if r.direct || r.ours {
		imports = p.Imports
	}
	for _, i := range imports {
		same := matches(i, r.of) // below the same root
		if !same && matchesAny(i, r.ban) && !matchesAny(i, r.except) {
			bad = append(bad, i)
		}
	}
	return bad
}

func TestRules(t *testing.T) {
	for _, r := range rules {
		cgo := "0"
		if r.of == "cmd/mplauncher" || strings.HasPrefix(r.of, "isolate") || strings.HasPrefix(r.of, "seccomp") {
			cgo = "1"
		}
		args := []string{"./" + r.of}
		if r.ours {
			args = append([]string{"-deps"}, args...)
		}
		pkgs := list(t, cgo, args...)
		if len(pkgs) == 0 {
			t.Errorf("%s: there is no such package", r.of)
		}
		for _, p := range pkgs {
			if !own(p.ImportPath) {
				continue
			}
			for _, bad := range r.broken(p) {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module+"/"), bad, r.reason)
			}
		}
	}
}

// TestRulesBite makes sure that a breach would be seen.
func TestRulesBite(t *testing.T) {
	for _, test := range []struct {
		of, imports string
		want        bool
	}{
		{"ipc/...", module + "/internal/mp", true},
		{"ipc/...", module + "/ipc/ipctest", false},
		{"ipc/...", "golang.org/x/sys/unix", false},
		{"isolate/...", module + "/seccomp", false},
		{"internal/mp", "golang.org/x/sys/unix", true},
		{"internal/mp", "crypto/sha256", false},
		{"cmd/mpworker", "net/http", true},
		{"internal/bundle/...", "internal/testlog", false},
		{"cmd/mpworker", module + "/isolate/enter", false},
		{"cmd/mpworker", module + "/isolate", true},
		{"cmd/mpsupervisor", module + "/internal/engine/js", true},
		{"cmd/mplauncher", "connectrpc.com/connect", true},
	} {
		got := false
		for _, r := range rules {
			if r.of != test.of {
				continue
			}
			got = got || len(r.broken(pkg{Deps: []string{test.imports}, Imports: []string{test.imports}})) > 0
		}
		if got != test.want {
			t.Errorf("%s importing %s: banned is %v, want %v", test.of, test.imports, got, test.want)
		}
	}
}
