package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithVendor(t *testing.T) {
	const suggested = `{"runtime":"js","limits":{"memory":"20M","pids":16}}`
	for _, tt := range []struct{ name, manifest, want string }{
		{"no member", "{\n  \"app_id\": \"a\"\n}\n", "{\n  \"app_id\": \"a\",\n  \"mpsupervisor\": {\n    \"runtime\": \"js\",\n    \"limits\": {\n      \"memory\": \"20M\",\n      \"pids\": 16\n    }\n  }\n}\n"},
		{"the rest stays", `{"mpsupervisor": {"limits": {"log_rate": 5, "memory": "64M"}, "entry": "a.js"}, "x": "mpsupervisor"}`,
			"{\"mpsupervisor\": {\n    \"limits\": {\n      \"log_rate\": 5,\n      \"memory\": \"20M\",\n      \"pids\": 16\n    },\n    \"entry\": \"a.js\",\n    \"runtime\": \"js\"\n  }, \"x\": \"mpsupervisor\"}"},
		{"another member of that name", `{"x": {"mpsupervisor": 1}, "mpsupervisor" : {"runtime": "js", "limits": {"pids": 16, "memory": "20M"}}}`,
			`{"x": {"mpsupervisor": 1}, "mpsupervisor" : {"runtime": "js", "limits": {"pids": 16, "memory": "20M"}}}`},
	} {
		if got, err := withVendor([]byte(tt.manifest), []byte(suggested)); err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, got, tt.want)
		}
	}
}

// TestDiff holds that patch(1) makes the one text of the other.
func TestDiff(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Fatal("patch is missing: run `make deps`")
	}
	long := strings.Repeat("x\n", 20)
	for name, tt := range map[string][2]string{
		"inserted":       {long, "x\nx\nnew\n" + long},
		"removed":        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n7\n8\n9\n"},
		"changed":        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\nnew\n8\n9\n"},
		"at the begin":   {long, "new\n" + long},
		"at the end":     {long, long + "new\n"},
		"no end of line": {"{\n}", "{\nnew\n}"},
		"an end of line": {"{\n}", "{\n}\n"},
		"everything":     {"a\n", "b\nc\n"},
		"from nothing":   {"", "a\nb\n"},
		"more than fits": {strings.Repeat("a\nb\n", 600), strings.Repeat("b\nc\n", 600)},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, []byte(tt[0]), 0o644); err != nil {
				t.Fatal(err)
			}
			d := diff(tt[0], tt[1])
			cmd := exec.Command("patch", "--force", "--fuzz=0", file)
			cmd.Stdin = strings.NewReader("--- file\n+++ file\n" + d)
			out, err := cmd.CombinedOutput()
			got, _ := os.ReadFile(file)
			if err != nil || string(got) != tt[1] {
				t.Errorf("%v: %s\n%s\ngave\n%s", err, out, d, got)
			}
		})
	}
	if d := diff(long, long); d != "" {
		t.Errorf("the same: %s", d)
	}
}
