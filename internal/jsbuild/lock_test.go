package main

import (
	"strings"
	"testing"
)

const someIntegrity = "sha512-x"

func TestReadLock(t *testing.T) {
	project := projectOf(t, map[string]any{"lockfileVersion": 3, "packages": map[string]any{
		"":                                 map[string]any{"name": "project"},
		"node_modules/a":                   map[string]any{"version": "1.0.0", "integrity": someIntegrity},
		"node_modules/a/node_modules/@s/b": map[string]any{"version": "2.0.0", "integrity": someIntegrity},
		"node_modules/alias":               map[string]any{"name": "real", "version": "3.0.0", "integrity": someIntegrity},
		"node_modules/dev":                 map[string]any{"version": "1.0.0", "dev": true},
		"node_modules/optional":            map[string]any{"version": "1.0.0", "optional": true},
	}})
	deps, err := readLock(project)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range deps {
		got[d.dir] = d.address("https://registry.example/")
	}
	want := map[string]string{
		"node_modules/a":                   "https://registry.example/a/-/a-1.0.0.tgz",
		"node_modules/a/node_modules/@s/b": "https://registry.example/@s/b/-/b-2.0.0.tgz",
		"node_modules/alias":               "https://registry.example/real/-/real-3.0.0.tgz",
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for dir, address := range want {
		if got[dir] != address {
			t.Errorf("%s is at %q, want %q", dir, got[dir], address)
		}
	}
}

func TestReadLockRefuses(t *testing.T) {
	good := map[string]any{"version": "1.0.0", "integrity": someIntegrity}
	for name, c := range map[string]struct {
		lock any
		want string
	}{
		"no object":       {"text", "cannot unmarshal"},
		"version 2":       {map[string]any{"lockfileVersion": 2}, "only 3 is known"},
		"no version":      {map[string]any{}, "has version 0"},
		"a link":          {lockOf("node_modules/a", map[string]any{"link": true, "integrity": someIntegrity}), "only packages of the registry"},
		"a workspace":     {lockOf("packages/a", good), "only packages of the registry"},
		"above":           {lockOf("../node_modules/a", good), "only packages of the registry"},
		"above, hidden":   {lockOf("node_modules/../../a", good), "only packages of the registry"},
		"absolute":        {lockOf("/node_modules/a", good), "only packages of the registry"},
		"not clean":       {lockOf("node_modules/./a", good), "only packages of the registry"},
		"no integrity":    {lockOf("node_modules/a", map[string]any{"version": "1.0.0"}), "not a SHA-512"},
		"SHA-1":           {lockOf("node_modules/a", map[string]any{"version": "1.0.0", "integrity": "sha1-x"}), "not a SHA-512"},
		"another than it": {lockOf("node_modules/a", map[string]any{"version": "1.0.0", "integrity": "md5-x sha512-x"}), "not a SHA-512"},
	} {
		t.Run(name, func(t *testing.T) {
			deps, err := readLock(projectOf(t, c.lock))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v and error %v, want one that says %q", deps, err, c.want)
			}
		})
	}
}

func TestNoLockfile(t *testing.T) {
	deps, err := readLock(t.TempDir())
	if err != nil || len(deps) != 0 {
		t.Fatalf("got %v, %v", deps, err)
	}
}
