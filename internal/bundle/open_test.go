package bundle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// sealed makes a memory file of any bytes, with the given seals.
func sealed(t testing.TB, content []byte, add int) *os.File {
	t.Helper()
	f, err := newMemory()
	must(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.Write(content)
	must(t, err)
	must(t, control(f, func(fd uintptr) error {
		_, err := unix.FcntlInt(fd, unix.F_ADD_SEALS, add)
		return err
	}))
	return f
}

func zipped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	all := map[string]archive.File{}
	for name, content := range files {
		all[name] = archive.File{Content: content}
	}
	var b bytes.Buffer
	must(t, archive.Write(&b, all))
	return b.Bytes()
}

var good = map[string][]byte{
	"manifest.json": []byte(minimal),
	"app.js":        []byte("export {};"),
	"icon.svg":      []byte("<svg/>"),
}

// but returns the good package with some files in place of its own; nil leaves
// a file out.
func but(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	all := maps.Clone(good)
	maps.Copy(all, files)
	maps.DeleteFunc(all, func(_ string, b []byte) bool { return b == nil })
	return zipped(t, all)
}

func TestOpen(t *testing.T) {
	content := zipped(t, good)
	p, err := Open(sealed(t, content, seals))
	must(t, err)
	defer p.Close()
	if p.Digest != sha256.Sum256(content) || p.Size != int64(len(content)) {
		t.Errorf("digest %v, size %d", p.Digest, p.Size)
	}
	if p.Manifest.Name != "App" || p.Manifest.Vendor.Entry != "app.js" || len(p.Warnings) > 0 {
		t.Errorf("manifest %+v, warnings %v", p.Manifest, p.Warnings)
	}
}

func TestOpenRefuses(t *testing.T) {
	manifest := func(text string) map[string][]byte { return map[string][]byte{"manifest.json": []byte(text)} }
	flipped := zipped(t, good)
	flipped[bytes.Index(flipped, []byte("export"))] = 'E'
	tests := []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "0 bytes: not in the form of a package"},
		{"garbage", bytes.Repeat([]byte("x"), 1000), "no end of central directory record"},
		{"cut off", flipped[:len(flipped)-1], "not in the form of a package"},
		{"a content changed", flipped, "read app.js: content does not match its checksum"},
		{"too large", make([]byte, archive.MaxSize+1), "the package has 134217729 bytes, at most 134217728 are allowed: too large"},
		{"no manifest", but(t, map[string][]byte{"manifest.json": nil}), "there is no manifest.json in the package"},
		{"manifest is a directory", but(t, map[string][]byte{"manifest.json": nil, "manifest.json/x": {}}), "there is no manifest.json in the package"},
		{"10 MB manifest", but(t, manifest(strings.Repeat(" ", 10<<20))), "manifest.json: the manifest has 10485760 bytes, at most 262144 are allowed"},
		{"bad manifest", but(t, manifest("{}")), "manifest.json:1: app_id is missing"},
		{"no entry", but(t, map[string][]byte{"app.js": nil}), `there is no "app.js" in the package: the program begins there, unless manifest.json names another file as mpsupervisor.entry`},
		{"entry is a directory", but(t, manifest(plus(`"mpsupervisor": {"entry": "lib"}`))), `there is no "lib" in the package`},
		{"other entry missing", but(t, manifest(plus(`"mpsupervisor": {"entry": "main.js"}`))), `there is no "main.js" in the package`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(sealed(t, tt.content, seals))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, mp.ErrBadPackage) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestOpenWantsSeals(t *testing.T) {
	content := zipped(t, good)
	for name, missing := range map[string]int{
		"write": unix.F_SEAL_WRITE, "shrink": unix.F_SEAL_SHRINK, "grow": unix.F_SEAL_GROW, "seal": unix.F_SEAL_SEAL,
	} {
		if _, err := Open(sealed(t, content, seals&^missing)); !errors.Is(err, mp.ErrBadPackage) || !strings.Contains(err.Error(), "not sealed") {
			t.Errorf("without the seal against %s: %v", name, err)
		}
	}
}

// What is no memory file is refused before a byte of it is read.
func TestOpenWantsMemoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "package")
	must(t, os.WriteFile(path, zipped(t, good), 0o644))
	r, w, err := os.Pipe()
	must(t, err)
	defer w.Close()
	null, err := os.Open("/dev/null")
	must(t, err)
	file, err := os.Open(path)
	must(t, err)
	dir, err := os.Open(t.TempDir())
	must(t, err)
	for name, f := range map[string]*os.File{"file": file, "pipe": r, "device": null, "directory": dir} {
		if _, err := Open(f); !errors.Is(err, mp.ErrBadPackage) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, f.Close()) // still the caller's
	}
	if _, err := Open(file); err == nil || errors.Is(err, mp.ErrBadPackage) {
		t.Errorf("a closed file is not the package's fault: %v", err)
	}
}

func TestMissingFilesAreWarnings(t *testing.T) {
	p, err := Open(sealed(t, but(t, map[string][]byte{
		"icon.svg":       nil,
		"pages/b.html":   {},
		"pages/c/c.js":   {},
		"widgets/a.html": {},
		"manifest.json": []byte(strings.Replace(plus(`"widgets": [{"name": "a", "path": "widgets/a"}, {"name": "b", "path": "widgets/b"}]`),
			`["app"]`, `["app", "app.js", "pages/b", "pages/c", "pages/c/c.html"]`, 1)),
	}), seals))
	must(t, err)
	defer p.Close()
	want := []string{
		`manifest.json:6: icons[0].src names "icon.svg", which is not in the package`,
		`manifest.json:7: pages[3] names "pages/c", which is not in the package`,
		`manifest.json:7: pages[4] names "pages/c/c.html", which is not in the package`,
		`manifest.json:8: widgets[1].path names "widgets/b", which is not in the package`,
	}
	var got []string
	for _, w := range p.Warnings {
		got = append(got, w.String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReopen(t *testing.T) {
	content := zipped(t, good)
	p, err := Open(sealed(t, content, seals))
	must(t, err)
	a, err := p.Reopen()
	must(t, err)
	defer a.Close()
	b, err := p.Reopen()
	must(t, err)
	defer b.Close()
	must(t, p.Close())
	must(t, p.Close()) // twice is fine
	if _, err := a.Seek(10, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the other's offset moved, or the bytes differ: %d bytes, %v", len(got), err)
	}
	must(t, control(b, func(fd uintptr) error {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		if flags&unix.O_ACCMODE != unix.O_RDONLY {
			t.Errorf("flags %#x: not read-only", flags)
		}
		return err
	}))
	if f, err := archive.Files(b, int64(len(content))); err != nil || f.Verify() != nil {
		t.Errorf("as the worker reads it: %v", err)
	}
}

// FuzzOpen holds against any sealed bytes: Open does not crash, and what it
// accepts has a manifest whose entry is there. A native program's root can be
// extracted, and its entry is a program below it.
func FuzzOpen(f *testing.F) {
	f.Add(zipped(f, good))
	f.Add(but(f, map[string][]byte{"app.js": nil}))
	f.Add([]byte("PK\x05\x06"))
	f.Add(nativeBut(f, nil))
	f.Add(nativeBut(f, map[string]archive.File{"root/x": {Kind: archive.Link, Content: []byte("/usr/../void")}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := Open(sealed(t, content, seals))
		if err != nil {
			if !errors.Is(err, mp.ErrBadPackage) {
				t.Errorf("%v is not an mp.ErrBadPackage", err)
			}
			return
		}
		defer p.Close()
		if _, err := p.Files.ReadFile(p.Manifest.Vendor.Entry); err != nil || p.Digest != sha256.Sum256(content) {
			t.Errorf("entry: %v, digest %v", err, p.Digest)
		}
		if p.Manifest.Vendor.Runtime == RuntimeNative {
			checkExtracted(t, p)
		}
	})
}

// checkExtracted extracts p, looks for its entry as the kernel would, and that no
// link leads out.
func checkExtracted(t *testing.T, p *Package) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	must(t, ExtractRoot(p, root))
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	entry, err := unix.Openat2(fd, strings.TrimPrefix(p.Manifest.Vendor.Entry, "root/"), &how)
	must(t, err)
	defer unix.Close(entry)
	var st unix.Stat_t
	must(t, unix.Fstat(entry, &st))
	if st.Mode != unix.S_IFREG|0o755 {
		t.Errorf("the entry has the mode %o", st.Mode)
	}
}

func BenchmarkOpen(b *testing.B) {
	content := but(b, map[string][]byte{"data": make([]byte, 1<<20)})
	for b.Loop() {
		f := sealed(b, content, seals)
		p, err := Open(f)
		must(b, err)
		p.Close()
	}
}
