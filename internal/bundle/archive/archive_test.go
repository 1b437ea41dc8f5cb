package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func plain(content string) File   { return File{Plain, []byte(content)} }
func linkTo(target string) File   { return File{Link, []byte(target)} }
func program(content string) File { return File{Executable, []byte(content)} }

var sample = map[string]File{
	"app.js":            plain("export const a = 1;\n"),
	"a-b.js":            plain("-"), // sorts between "a" and "a/…"
	"a/b/c.js":          plain("c"),
	"empty":             plain(""),
	"icons/icon.svg":    plain("<svg/>"),
	"manifest.json":     plain("{}"),
	"páginas/índice.":   plain("π"),
	"root/bin":          linkTo("usr/bin"),
	"root/dev":          {Kind: Directory},
	"root/dev-x":        plain("after the directory without its slash, before it with"),
	"root/etc/mtab":     linkTo("/usr/share/../x"),
	"root/usr/bin/sh":   linkTo("./tool"),
	"root/usr/bin/tool": program("#!"),
	"root/usr/share/x":  plain("x"),
	"root/usr/x":        plain("y"),
}

func write(t testing.TB, files map[string]File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, files); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*FS, error) { return Files(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	packed := write(t, sample)
	f, err := open(packed)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(); err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(sample)); !slices.Equal(f.Names(), want) {
		t.Errorf("Names() = %q, want %q", f.Names(), want)
	}
	if got := filesOf(t, f); !reflect.DeepEqual(got, sample) {
		t.Errorf("got %v", got)
	}
	if err := fstest.TestFS(f, f.Names()...); err != nil {
		t.Error(err)
	}
	if again := write(t, sample); !bytes.Equal(again, packed) {
		t.Error("the same files gave other bytes")
	}
}

// filesOf takes a package apart again.
func filesOf(t *testing.T, f *FS) map[string]File {
	t.Helper()
	files := map[string]File{}
	for _, name := range f.Names() {
		files[name] = fileOf(t, f, name)
	}
	return files
}

func fileOf(t *testing.T, f *FS, name string) File {
	t.Helper()
	i, err := f.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case i.IsDir():
		return File{Kind: Directory}
	case i.Mode()&fs.ModeSymlink != 0:
		target, err := f.ReadLink(name)
		if err != nil {
			t.Fatal(err)
		}
		return linkTo(target)
	}
	content, err := f.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if i.Mode()&0o111 != 0 {
		return program(string(content))
	}
	return plain(string(content))
}

// Other programs' ZIP readers must see the same files, or a package could be
// one thing to us and another to who inspects it.
func TestZipReaderAgrees(t *testing.T) {
	packed := write(t, sample)
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	compareZip(t, z, sample)
}

func compareZip(t *testing.T, z *zip.Reader, files map[string]File) {
	t.Helper()
	if len(z.File) != len(files) {
		t.Fatalf("archive/zip sees %d files, want %d", len(z.File), len(files))
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		want, ok := files[strings.TrimSuffix(f.Name, "/")]
		if err != nil || !ok || !bytes.Equal(got, want.Content) {
			t.Errorf("archive/zip reads %q as %q, %v, want %q", f.Name, got, err, want.Content)
		}
		mode := map[Kind]fs.FileMode{Plain: 0o644, Executable: 0o755, Link: fs.ModeSymlink | 0o777, Directory: fs.ModeDir | 0o755}[want.Kind]
		if f.Mode() != mode || f.Method != zip.Store || f.NonUTF8 || strings.HasSuffix(f.Name, "/") != (want.Kind == Directory) {
			t.Errorf("%q: mode %v, want %v, method %d, not UTF-8 %v", f.Name, f.Mode(), mode, f.Method, f.NonUTF8)
		}
	}
}

// Any one byte changed, and any cut, must be noticed: by the structure or, in
// a content, by Verify.
func TestEveryByteCounts(t *testing.T) {
	packed := write(t, sample)
	for i := range packed {
		b := bytes.Clone(packed)
		b[i] ^= 0x21
		if f, err := open(b); err == nil && f.Verify() == nil {
			t.Errorf("byte %d changed: not noticed", i)
		}
		if _, err := open(packed[:i]); err == nil {
			t.Errorf("cut off at %d: not noticed", i)
		}
	}
	if _, err := open(append(bytes.Clone(packed), 0)); err == nil {
		t.Error("a byte too many: not noticed")
	}
}

func TestWriteRefuses(t *testing.T) {
	many := map[string]File{}
	for i := range MaxFiles + 1 {
		many[strings.Repeat("a", 1+i%100)+"/"+strings.Repeat("b", 1+i/100)] = File{}
	}
	big := File{Content: make([]byte, MaxRootFile)}
	tests := []struct {
		name  string
		files map[string]File
		want  string
		large bool
	}{
		{"dot", map[string]File{".": {}}, "not a path inside", false},
		{"dot dot", map[string]File{"a/../../b": {}}, "not a path inside", false},
		{"absolute", map[string]File{"/etc/passwd": {}}, "not a path inside", false},
		{"empty", map[string]File{"": {}}, "not a path inside", false},
		{"directory", map[string]File{"a/": {}}, "not a path inside", false},
		{"NUL", map[string]File{"a\x00b": {}}, "control character", false},
		{"escape sequence", map[string]File{"a\x1b[2Jb": {}}, "control character", false},
		{"C1 control", map[string]File{"a\u0085b": {}}, "control character", false},
		{"backslash", map[string]File{`a\..\b`: {}}, "backslash", false},
		{"not UTF-8", map[string]File{"a\xff": {}}, "not UTF-8", false},
		{"long", map[string]File{strings.Repeat("a", MaxName+1): {}}, "256 bytes", true},
		{"deep", map[string]File{strings.Repeat("a/", MaxDepth) + "a": {}}, "more than 32 elements", true},
		{"file and directory", map[string]File{"a": {}, "a-b": {}, "a/b/c": {}}, "both a file and a directory", false},
		{"many", many, "more than 4096 files", true},
		{"file too large", map[string]File{"a": {Content: make([]byte, MaxFile+1)}}, `"a" has 16777217 bytes, at most 16777216`, true},
		{"file below root/ too large", map[string]File{"root/a": {Content: make([]byte, MaxRootFile+1)}}, `"root/a" has 67108865 bytes, at most 67108864`, true},
		{"whole too large", map[string]File{"root/a": big, "root/b": big, "root/c": big}, "the package has", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			err := Write(&b, tt.files)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, mp.ErrTooLarge) != tt.large {
				t.Errorf("Write: %v, want %q, too large %v", err, tt.want, tt.large)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes written all the same", b.Len())
			}
		})
	}
}

func TestBoundsAreReachable(t *testing.T) {
	files := map[string]File{
		strings.Repeat("a", MaxName):                    {},
		strings.Repeat("a/", MaxDepth-1) + "a":          {},
		"root/" + strings.Repeat("b", MaxName-5):        linkTo(strings.Repeat("c", MaxLink)),
		"root/largest":                                  {Content: make([]byte, MaxRootFile)},
		"largest":                                       {Content: make([]byte, MaxFile)},
		"x/" + strings.Repeat("é", 100) + "/index.html": plain("deep"),
	}
	if f, err := open(write(t, files)); err != nil || f.Verify() != nil {
		t.Error(err)
	}
}

// forged builds a package of the entries as they are, with headers that agree
// with each other.
func forged(entries []entry, contents ...string) []byte {
	var b []byte
	for i, e := range entries {
		b = append(e.local(b), contents[i]...)
	}
	return append(b, directory(entries)...)
}

func TestFilesRefuses(t *testing.T) {
	one := entry{name: "a", size: 1, crc: checksum([]byte("x"))}
	at := func(e entry, name string, offset uint32) entry { e.name, e.offset = name, offset; return e }
	lying := func(size uint32) entry { e := one; e.size = size; return e }
	var deflated, plain bytes.Buffer
	for b, method := range map[*bytes.Buffer]uint16{&deflated: zip.Deflate, &plain: zip.Store} {
		z := zip.NewWriter(b)
		w, _ := z.CreateHeader(&zip.FileHeader{Name: "a", Method: method})
		io.WriteString(w, "x")
		z.Close()
	}
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"empty file", nil, "0 bytes"},
		{"garbage", bytes.Repeat([]byte("garbage "), 100), "no end of central directory"},
		{"deflated by another program", deflated.Bytes(), errForm.Error()},
		{"stored by another program", plain.Bytes(), errForm.Error()},
		{"twice", forged([]entry{one, at(one, "a", uint32(one.end()))}, "x", "x"), "twice"},
		{"out of order", forged([]entry{at(one, "b", 0), at(one, "a", uint32(one.end()))}, "x", "x"), "out of order"},
		{"overlapping", forged([]entry{one, at(one, "b", 0)}, "x", "x"), "does not begin where"},
		{"hole", forged([]entry{at(one, "a", 4)}, "x"), "does not begin where"},
		{"parent directory", forged([]entry{at(one, "../a", 0)}, "x"), "not a path inside"},
		{"directory entry", forged([]entry{{name: "a/"}}, ""), "not a path inside"},
		{"NUL in a name", forged([]entry{at(one, "a\x00.js", 0)}, "x"), "control character"},
		{"size of 4 GiB", forged([]entry{lying(1<<32 - 1)}, "x"), "at most 16777216"},
		{"size beyond the end", forged([]entry{lying(1000)}, "x"), "the files end at"},
		{"bytes before the directory", append(append(one.local(nil), "xhidden"...), directory([]entry{one})...), "the files end at"},
		{"65535 files in none", append(one.local(nil), end(nil, 65535, 0, 31)...), "65535 files"},
		{"directory larger than the file", end(nil, 4096, 1<<20, 0), "central directory of 1048576 bytes"},
		{"directory of 4 GiB", end(nil, 4096, 1<<32-1, 0), "central directory of 4294967295 bytes"},
		{"names disagree", append(append(at(one, "b", 0).local(nil), 'x'), directory([]entry{one})...), "local header differs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := open(tt.bytes); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Files: %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := open(forged([]entry{one}, "x")); err != nil {
		t.Errorf("the helper itself makes bad packages: %v", err)
	}
	if _, err := Files(strings.NewReader(""), MaxSize+1); !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("beyond MaxSize: %v", err)
	}
	if _, err := Files(bytes.NewReader(forged([]entry{one}, "x")[:10]), 200); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than its size: %v", err)
	}
}

func TestChecksum(t *testing.T) {
	f, err := open(forged([]entry{{name: "a", size: 1, crc: 1}}, "x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFile("a"); !errors.Is(err, errChecksum) {
		t.Errorf("ReadFile: %v", err)
	}
	if _, err := f.Open("a"); !errors.Is(err, errChecksum) {
		t.Errorf("Open: %v", err)
	}
	if err := f.Verify(); !errors.Is(err, errChecksum) {
		t.Errorf("Verify: %v", err)
	}
}

func TestReadFileErrors(t *testing.T) {
	f, err := open(write(t, sample))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"missing.js":       fs.ErrNotExist,
		"../app.js":        fs.ErrInvalid,
		"/app.js":          fs.ErrInvalid,
		"a/b/../../app.js": fs.ErrInvalid,
		"a":                errIsDir,
		"app.js/x":         fs.ErrNotExist,
	} {
		if _, err := f.ReadFile(name); !errors.Is(err, want) {
			t.Errorf("ReadFile(%q) = %v, want %v", name, err, want)
		}
	}
}

// FuzzOpen holds two things against any bytes that are accepted: written again
// they are the same bytes, and archive/zip reads the same files out of them.
func FuzzOpen(f *testing.F) {
	f.Add(write(f, sample))
	f.Add(write(f, nil))
	one := entry{name: "a", size: 1, crc: checksum([]byte("x"))}
	f.Add(forged([]entry{one}, "x"))
	for _, tt := range hostileKinds {
		f.Add(tt.bytes)
	}
	f.Add(forged([]entry{one, one}, "x", "x"))
	f.Add(end(nil, 1, centralSize, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := open(b)
		if err != nil || got.Verify() != nil {
			return
		}
		files := filesOf(t, got)
		if again := write(t, files); !bytes.Equal(again, b) {
			t.Errorf("written again: %q, was %q", again, b)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		compareZip(t, z, files)
	})
}

func BenchmarkFiles(b *testing.B) {
	packed := write(b, sample)
	for b.Loop() {
		if _, err := open(packed); err != nil {
			b.Fatal(err)
		}
	}
}
