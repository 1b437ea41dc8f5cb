package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const onePath = "/one/-/one-1.0.0.tgz"

func lockOne(sum string) map[string]any {
	return lockOf("node_modules/one", map[string]any{"version": "1.0.0", "integrity": sum})
}

// TestRun takes a package from the registry into a bundle, and needs the
// registry no more after that.
func TestRun(t *testing.T) {
	archive := pack(t,
		member{name: "package/package.json", text: `{"name": "one", "version": "1.0.0", "module": "lib/one.js"}`},
		member{name: "package/lib/one.js", text: `export const one = "from the package";`},
	)
	requests := registryOf(t, map[string][]byte{onePath: archive})
	project := projectOf(t, lockOne(integrity(archive)), "src/main.js", `import { one } from "one"; export default one;`)
	for range 2 {
		if err := run(context.Background(), project, options{entry: "src/main.js", out: "dist/app.js", format: "esm"}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(project, "dist/app.js"))
	if err != nil || !strings.Contains(string(b), "from the package") {
		t.Fatalf("the bundle is %q, %v", b, err)
	}
	if err := os.RemoveAll(filepath.Join(project, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := install(context.Background(), project); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("the registry was asked %d times, want once", n)
	}
}

// TestAnotherArchive holds that nothing is unpacked of an archive that is not
// the lockfile's, whether it comes from the registry or out of the cache.
func TestAnotherArchive(t *testing.T) {
	archive := pack(t, member{name: "package/index.js", text: "right"})
	other := pack(t, member{name: "package/index.js", text: "wrong"})
	registryOf(t, map[string][]byte{onePath: other})
	project := projectOf(t, lockOne(integrity(archive)))
	err := install(context.Background(), project)
	if err == nil || !strings.Contains(err.Error(), "the lockfile has") {
		t.Fatalf("got %v", err)
	}
	if exists(filepath.Join(project, "node_modules")) {
		t.Error("something of it was unpacked")
	}

	registryOf(t, map[string][]byte{onePath: archive})
	d := dependency{"node_modules/one", "one", "1.0.0", integrity(archive)}
	write(t, d.cacheFile(), string(other))
	if err := install(context.Background(), project); err != nil {
		t.Fatalf("an archive in the cache that is not the lockfile's: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(project, "node_modules/one/index.js")); string(b) != "right" {
		t.Errorf("got %q", b)
	}
}

// TestChangedLockfile holds that a package is replaced, with nothing left of
// the old one, and that those nested in it stay.
func TestChangedLockfile(t *testing.T) {
	first := pack(t, member{name: "package/old.js", text: "old"})
	second := pack(t, member{name: "package/new.js", text: "new"})
	registryOf(t, map[string][]byte{onePath: first, "/one/-/one-2.0.0.tgz": second})
	project := projectOf(t, lockOne(integrity(first)))
	if err := install(context.Background(), project); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(project, "node_modules/one")
	write(t, filepath.Join(dir, "node_modules/nested/index.js"), "nested")
	d := dependency{"node_modules/one", "one", "2.0.0", integrity(second)}
	if err := d.install(context.Background(), project); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"old.js": false, "new.js": true, "node_modules/nested/index.js": true} {
		if exists(filepath.Join(dir, name)) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
}

func TestUnpackStaysInside(t *testing.T) {
	for name, c := range map[string]struct {
		members []member
		refused bool
	}{
		"up":              {[]member{{name: "package/../evil", text: "x"}}, true},
		"up from below":   {[]member{{name: "package/a/../../../evil", text: "x"}}, true},
		"up at first":     {[]member{{name: "../evil", text: "x"}}, false}, // its first directory goes
		"twice up":        {[]member{{name: "../../evil", text: "x"}}, true},
		"absolute":        {[]member{{name: "package//evil", text: "x"}}, true},
		"through a link":  {[]member{{name: "package/l", kind: '2', link: "../.."}, {name: "package/l/evil", text: "x"}}, false},
		"a hard link":     {[]member{{name: "package/evil", kind: '1', link: "../../outside"}}, false},
		"a name of ours":  {[]member{{name: "package/ok.js", text: "x"}}, false},
		"no directory":    {[]member{{name: "evil", text: "x"}}, false},
		"a device":        {[]member{{name: "package/evil", kind: '3'}}, false},
		"a named pipe":    {[]member{{name: "package/evil", kind: '6'}}, false},
		"the very top":    {[]member{{name: "package/..", text: "x"}}, true},
		"the mark's name": {[]member{{name: "package/.integrity", text: "sha512-forged"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "node_modules", "one")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			err := unpack(dir, pack(t, c.members...))
			if (err != nil) != c.refused {
				t.Errorf("got error %v, want one: %v", err, c.refused)
			}
			for _, outside := range []string{filepath.Join(top, "evil"), filepath.Join(top, "node_modules", "evil"), "/evil"} {
				if exists(outside) {
					t.Errorf("%s is there", outside)
				}
			}
			onlyFiles(t, dir)
		})
	}
}

// onlyFiles holds that there are directories and regular files and no others.
func onlyFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			t.Errorf("%s is %v", path, d.Type())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnpackRefusesRubbish(t *testing.T) {
	archive := pack(t, member{name: "package/a", text: strings.Repeat("a", 5000)})
	for name, b := range map[string][]byte{
		"nothing":   nil,
		"no gzip":   []byte("text"),
		"cut":       archive[:len(archive)/2],
		"not a tar": append([]byte(nil), archive[:10]...),
	} {
		t.Run(name, func(t *testing.T) {
			if err := unpack(t.TempDir(), b); err == nil {
				t.Error("it was unpacked")
			}
		})
	}
}

func TestReadAtMost(t *testing.T) {
	if b, err := readAtMost(strings.NewReader("1234"), 4); err != nil || string(b) != "1234" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := readAtMost(strings.NewReader("12345"), 4); err == nil {
		t.Error("five bytes are no more than four")
	}
}
