package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const installed = "../../cmd/mpsupervisor/dist/config.toml"

func TestInstalledFileSaysEveryDefault(t *testing.T) {
	c, from, err := Load(installed)
	if err != nil {
		t.Fatal(err)
	}
	if from != installed {
		t.Errorf("from = %q", from)
	}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("the file gives\n%+v\nthe defaults are\n%+v", c, Default())
	}
	b, err := os.ReadFile(installed)
	if err != nil {
		t.Fatal(err)
	}
	var in, all map[string]any
	if err := toml.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	if err := toml.Unmarshal(marshal(t, Default()), &all); err != nil {
		t.Fatal(err)
	}
	if got, want := keys(in), keys(all); !reflect.DeepEqual(got, want) {
		t.Errorf("keys in the file:\n%v\nin the defaults:\n%v", got, want)
	}
}

// keys replaces every value by nothing.
func keys(table map[string]any) map[string]any {
	m := make(map[string]any)
	for k, v := range table {
		m[k] = nil
		if inner, ok := v.(map[string]any); ok {
			m[k] = keys(inner)
		}
	}
	return m
}

func marshal(t *testing.T, c Config) []byte {
	t.Helper()
	b, err := toml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	c := Default()
	c.Socket = "@somewhere"
	c.Limits.Default.Memory = 100<<20 + 1
	c.Limits.Default.CPU = 0.25
	c.Log.Format = "json"
	back, err := Parse(marshal(t, c))
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("got %+v, %v, want %+v", back, err, c)
	}
}

func TestPartialFileKeepsDefaults(t *testing.T) {
	c, err := Parse([]byte("[limits.default]\nmemory = \"32M\"\n"))
	want := Default()
	want.Limits.Default.Memory = 32 << 20
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "user = 'a'\nusr = 'b'", `2: unknown key "usr"`},
		{"unknown nested key", "[limits.max]\nmemroy = '1G'", `2: unknown key "limits.max.memroy"`},
		{"wrong type", "user = 'a'\nmax_workers = 'many'", "2: "},
		{"bad size", "[limits.max]\n\nmemory = '1T'", `3: `},
		{"bad size says how", "[limits.max]\nmemory = '1T'", `64M or 1G`},
		{"duration without unit", "[limits.max]\ncall_timeout = 5", `duration "5" is not`},
		{"bad duration", "drain_timeout = '5'", "1: "},
		{"not TOML", "user = \n", "1: "},
		{"negative number", "uid_base = -1", "1: "},
		{"twice", "user = 'a'\nuser = 'b'", "2: "},
		{"relative path", "run_dir = 'run'", " run_dir: "},
		{"path with dots", "run_dir = '/run/../etc'", " run_dir: "},
		{"cgroup out of its parent", "cgroup_parent = 'a/../..'", " cgroup_parent: "},
		{"long socket", "socket = '/" + strings.Repeat("x", 108) + "'", " socket: "},
		{"bare at sign", "socket = '@'", " socket: "},
		{"people's uids", "uid_base = 1000", " uid_base: "},
		{"uids above 31 bits", "uid_base = 2147000000", " uid_base: "},
		{"no workers", "max_workers = 0", " max_workers: "},
		{"user with a slash", "user = 'a/b'", " user: "},
		{"memory below the least", "[limits.default]\nmemory = '1M'", " limits.default: memory"},
		{"not a number of processors", "[limits.max]\ncpu = nan", " limits.max: cpu"},
		{"default above max", "[limits.default]\npids = 300", " limits.default: pids is above"},
		{"nothing kept", "[keep]\nlog_bytes = '0'", " keep.log_bytes: "},
		{"log level", "[log]\nlevel = 'loud'", " log.level: "},
		{"drain for ever", "drain_timeout = '1000h'", " drain_timeout: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Load(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that was asked for and is missing: no error")
	}
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("\nx = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(bad); err == nil || !strings.Contains(err.Error(), bad+":2: unknown key") {
		t.Errorf("error %v does not name file and line", err)
	}
	long := filepath.Join(dir, "long.toml")
	if err := os.WriteFile(long, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(long); err == nil {
		t.Error("a file above the limit: no error")
	}
}

func TestSize(t *testing.T) {
	good := map[string]Size{"0": 0, "1": 1, "1K": 1 << 10, "64M": 64 << 20, "3G": 3 << 30, "1025": 1025, "8589934591G": 8589934591 << 30}
	for text, want := range good {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v", text, got, err)
		}
		if got.String() != text && text != "8589934591G" {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	for _, text := range []string{"", "M", "-1", "+1", "1.5G", "64m", "64MB", " 1", "1 ", "0x10", "8589934592G", "9223372036854775808"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, no error", text, got)
		}
	}
}

func TestDefaultsAreTheProjects(t *testing.T) {
	if got := Default().Limits.Default.Values(); got != mp.DefaultLimits() {
		t.Errorf("default limits %+v", got)
	}
	if _, err := json.Marshal(Default()); err != nil {
		t.Error(err)
	}
}

func TestAbove(t *testing.T) {
	l := Default().Limits
	v := mp.DefaultLimits()
	if err := l.Above(v); err != nil {
		t.Error(err)
	}
	v.Memory = 2 << 30
	if err := l.Above(v); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("error %v does not name memory", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile(installed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		if back, err := Parse(marshal(t, c)); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%+v came back as %+v, %v", c, back, err)
		}
	})
}
