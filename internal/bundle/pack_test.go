package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// directory makes a package's directory with a manifest, an entry and an icon.
func directory(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "manifest.json", minimal)
	put(t, dir, "app.js", "export const one = 1;\n")
	put(t, dir, "icon.svg", "<svg/>")
	return dir
}

func put(t testing.TB, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pack(t testing.TB, dir string) *os.File {
	t.Helper()
	f, err := Pack(dir)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPack(t *testing.T) {
	dir := directory(t)
	put(t, dir, "lib/math.js", "export {};")
	put(t, dir, ".git/config", "hidden")
	put(t, dir, "lib/.swp", "hidden")
	must(t, os.Mkdir(filepath.Join(dir, "void"), 0o755))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, ".hidden-link")))
	p, err := Open(pack(t, dir))
	must(t, err)
	defer p.Close()
	if want := []string{"app.js", "icon.svg", "lib/math.js", "manifest.json"}; !slices.Equal(p.Files.Names(), want) {
		t.Errorf("files %q, want %q", p.Files.Names(), want)
	}
	if got, err := p.Files.ReadFile("lib/math.js"); err != nil || string(got) != "export {};" {
		t.Errorf("lib/math.js: %q, %v", got, err)
	}
	if p.Manifest.AppID != "com.example.app" || len(p.Warnings) != 0 {
		t.Errorf("manifest %+v, warnings %v", p.Manifest, p.Warnings)
	}
}

// The same files give the same bytes, whatever their times, modes and order of
// creation, and wherever they are.
func TestPackIsDeterministic(t *testing.T) {
	a, b := directory(t), t.TempDir()
	put(t, b, "icon.svg", "<svg/>")
	put(t, b, "app.js", "export const one = 1;\n")
	put(t, b, "manifest.json", minimal)
	must(t, os.Chmod(filepath.Join(b, "app.js"), 0o755))
	must(t, os.Chtimes(filepath.Join(b, "app.js"), time.Unix(1, 0), time.Unix(2, 0)))
	first, err := io.ReadAll(pack(t, a))
	must(t, err)
	second, err := io.ReadAll(pack(t, b))
	must(t, err)
	if !bytes.Equal(first, second) {
		t.Error("equal files gave different packages")
	}
	put(t, b, "app.js", "export const one = 2;\n")
	if third, _ := io.ReadAll(pack(t, b)); bytes.Equal(first, third) {
		t.Error("different files gave equal packages")
	}
}

func TestPackedIsSealed(t *testing.T) {
	f := pack(t, directory(t))
	must(t, checkSealed(f))
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("write: %v", err)
	}
	if err := f.Truncate(0); !errors.Is(err, unix.EPERM) {
		t.Errorf("shrink: %v", err)
	}
	if err := f.Truncate(1 << 20); !errors.Is(err, unix.EPERM) {
		t.Errorf("grow: %v", err)
	}
	if _, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("a shared writable mapping was made")
	}
}

// A preparation makes a good package's directory into a bad one.
type preparation func(t *testing.T, dir string)

func link(target, name string) preparation {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.Symlink(target, path))
	}
}

func remove(name string) preparation {
	return func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, name))) }
}

func sized(name string, size int64) preparation {
	return func(t *testing.T, dir string) {
		put(t, dir, name, "")
		must(t, os.Truncate(filepath.Join(dir, name), size))
	}
}

var badDirectories = []struct {
	name    string
	prepare preparation
	want    string
	is      error // besides mp.ErrBadPackage
}{
	{"no manifest", remove("manifest.json"), "there is no manifest.json in it: write one, or name the directory that has it", nil},
	{"link out", link("/etc/passwd", "data.json"), `data.json is a symbolic link to "/etc/passwd", which leaves the package: put the file itself there`, nil},
	{"link out by dots", link("../../x", "a/data.json"), `a/data.json is a symbolic link to "../../x", which leaves the package: put the file itself there`, nil},
	{"link inside", link("../app.js", "a/b.js"), `a/b.js is a symbolic link to "../app.js": put the file itself there`, nil},
	{"link to itself", link("loop", "loop"), `loop is a symbolic link to "loop": put the file itself there`, nil},
	{"link to the directory", link(".", "again"), `again is a symbolic link to ".": put the file itself there`, nil},
	{"dangling link", link("nowhere", "x"), `x is a symbolic link to "nowhere": put the file itself there`, nil},
	{"manifest is a link", func(t *testing.T, dir string) {
		remove("manifest.json")(t, dir)
		link("/etc/hostname", "manifest.json")(t, dir)
	}, `manifest.json is a symbolic link to "/etc/hostname", which leaves`, nil},
	{"link with an escape sequence", link("\x1b[2J", "x"), `x is a symbolic link to "\x1b[2J": put`, nil},
	{"FIFO", func(t *testing.T, dir string) { must(t, unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644)) },
		"pipe is a FIFO: only regular files can be in a package", nil},
	{"socket", func(t *testing.T, dir string) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "sock"), Net: "unix"})
		must(t, err)
		t.Cleanup(func() { l.Close() })
	}, "sock is a socket: only regular files can be in a package", nil},
	{"character device", device(unix.S_IFCHR, 1, 5), "dev is a device: only regular files can be in a package", nil},
	{"block device", device(unix.S_IFBLK, 7, 250), "dev is a device: only regular files can be in a package", nil},
	{"control character", func(t *testing.T, dir string) { put(t, dir, "a\nb", "") }, `name "a\nb" has a control character`, nil},
	{"backslash", func(t *testing.T, dir string) { put(t, dir, `a\b`, "") }, `name "a\\b" has a backslash`, nil},
	{"not UTF-8", func(t *testing.T, dir string) { put(t, dir, "a\xff", "") }, `name "a\xff" is not UTF-8`, nil},
	{"deep", func(t *testing.T, dir string) { put(t, dir, strings.Repeat("d/", archive.MaxDepth)+"f", "") },
		"more than 32 elements", mp.ErrTooLarge},
	{"long", func(t *testing.T, dir string) {
		put(t, dir, strings.Repeat("a", 200)+"/"+strings.Repeat("b", 200), "")
	}, "has 401 bytes, at most 255 are allowed", mp.ErrTooLarge},
	{"large file", sized("big", archive.MaxFile+1), "big has 16777217 bytes, at most 16777216 are allowed", mp.ErrTooLarge},
	{"large file of holes", sized("big", 1<<40), "big has 1099511627776 bytes", mp.ErrTooLarge},
	{"large together", func(t *testing.T, dir string) {
		for i := range 9 {
			sized(fmt.Sprint("f", i), archive.MaxFile)(t, dir)
		}
	}, "the files have more than 134217728 bytes together", mp.ErrTooLarge},
	{"many", func(t *testing.T, dir string) {
		for i := range archive.MaxFiles {
			put(t, dir, fmt.Sprintf("d%d/%d", i%10, i), "")
		}
	}, "more than 4096 files and directories", mp.ErrTooLarge},
}

func TestPackRefuses(t *testing.T) {
	for _, tt := range badDirectories {
		t.Run(tt.name, func(t *testing.T) {
			dir := directory(t)
			must(t, second(Pack(dir))) // the control: without what follows it is fine
			tt.prepare(t, dir)
			_, err := Pack(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "cannot pack "+dir+": ") {
				t.Fatalf("got  %v\nwant cannot pack DIR: %s", err, tt.want)
			}
			if !errors.Is(err, mp.ErrBadPackage) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v has the wrong kind", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %v", err)
			}
		})
	}
}

func second(f *os.File, err error) error {
	if err == nil {
		f.Close()
	}
	return err
}

func device(mode, major, minor uint32) preparation {
	return func(t *testing.T, dir string) {
		err := unix.Mknod(filepath.Join(dir, "dev"), mode|0o644, int(unix.Mkdev(major, minor)))
		if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
			t.Skip("making a device needs root (CAP_MKNOD)")
		}
		must(t, err)
	}
}

func TestPackWhatIsNoDirectory(t *testing.T) {
	dir := directory(t)
	fifo := filepath.Join(dir, ".fifo")
	must(t, unix.Mkfifo(fifo, 0o644))
	tests := []struct {
		path, want string
		is         error
	}{
		{filepath.Join(dir, "missing"), "there is no such directory", mp.ErrNotFound},
		{filepath.Join(dir, "app.js"), "it is not a directory", mp.ErrBadPackage},
		{filepath.Join(dir, "app.js", "x"), "not a directory", mp.ErrBadPackage},
		{fifo, "it is not a directory", mp.ErrBadPackage},
		{"", "there is no such directory", mp.ErrNotFound},
	}
	for _, tt := range tests {
		if _, err := Pack(tt.path); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Pack(%q) = %v, want %q", tt.path, err, tt.want)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	if err := second(Pack(link)); err != nil {
		t.Errorf("the caller's own link to a directory: %v", err)
	}
}

// Each change happens at a known moment, between the steps of Pack.
func TestChangeWhileRead(t *testing.T) {
	write := func(content string) func(path string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o644) }
	}
	replace := func(path string) error {
		if err := os.WriteFile(path+".new", []byte("export const one = 1;\n"), 0o644); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
	linkTo := func(target string) func(path string) error {
		return func(path string) error { os.Remove(path); return os.Symlink(target, path) }
	}
	changes := map[string]func(path string) error{
		"grown":                   write("export const one = 1;\n// more"),
		"shrunk":                  write("x"),
		"same size":               write("export const one = 9;\n"),
		"touched":                 func(path string) error { return os.Chtimes(path, time.Now(), time.Now()) },
		"replaced by its equal":   replace,
		"gone":                    os.Remove,
		"a link to another file":  linkTo("icon.svg"),
		"a link out":              linkTo("/etc/passwd"),
		"a FIFO":                  func(path string) error { os.Remove(path); return unix.Mkfifo(path, 0o644) },
		"a directory":             func(path string) error { os.Remove(path); return os.Mkdir(path, 0o755) },
		"a link to the directory": linkTo("."),
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Run("before it is opened", func(t *testing.T) { changeBeforeOpen(t, change) })
			t.Run("after it was read", func(t *testing.T) { changeAfterRead(t, change) })
		})
	}
	for _, name := range []string{"grown", "shrunk", "same size", "touched"} {
		t.Run(name+" while it is open", func(t *testing.T) { changeWhileOpen(t, changes[name]) })
	}
}

func tested(t *testing.T) (*tree, string) {
	t.Helper()
	dir := directory(t)
	root, err := openRoot(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return newTree(root), filepath.Join(dir, "app.js")
}

// changeBeforeOpen plays the race between Lstat and the opening: Lstat saw a
// regular file. Only what is no regular file any more must be noticed.
func changeBeforeOpen(t *testing.T, change func(string) error) {
	tree, path := tested(t)
	must(t, change(path))
	err := tree.file("app.js")
	if info, statErr := os.Lstat(path); statErr == nil && info.Mode().IsRegular() {
		must(t, err)
		return
	}
	if err == nil || !errors.Is(err, mp.ErrBadPackage) {
		t.Errorf("error %v", err)
	}
	if len(tree.files) > 0 {
		t.Errorf("something was read: %v", tree.files)
	}
}

func changeWhileOpen(t *testing.T, change func(string) error) {
	tree, path := tested(t)
	f, err := tree.open("app.js")
	must(t, err)
	defer f.Close()
	must(t, change(path))
	if _, err := readStable(f, "app.js", tree.seen["app.js"]); err == nil || err.Error() != "app.js changed while it was read: run again" {
		t.Errorf("error %v", err)
	}
}

func changeAfterRead(t *testing.T, change func(string) error) {
	tree, path := tested(t)
	must(t, tree.read("."))
	must(t, tree.unchanged()) // the control
	must(t, change(path))
	err := tree.unchanged()
	if err == nil || !strings.HasSuffix(err.Error(), "changed while it was read: run again") {
		t.Errorf("error %v", err)
	}
}

func TestDirectoryChangedWhileRead(t *testing.T) {
	tree, path := tested(t)
	must(t, tree.read("."))
	put(t, filepath.Dir(path), "late.js", "")
	if err := tree.unchanged(); err == nil || err.Error() != "the directory itself changed while it was read: run again" {
		t.Errorf("error %v", err)
	}
}

// A writer that never stops must never get half a file of each content into a
// package.
func TestRacingWriter(t *testing.T) {
	dir := directory(t)
	path := filepath.Join(dir, "data.txt")
	a, b := bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<20)
	must(t, os.WriteFile(path, a, 0o644))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				f.WriteAt([][]byte{a, b}[i%2], 0)
			}
		}
	}()
	noticed := 0
	for range 50 {
		packed, err := Pack(dir)
		if err != nil {
			if !strings.Contains(err.Error(), "changed while it was read") {
				t.Errorf("error %v", err)
			}
			noticed++
			continue
		}
		checkUniform(t, packed)
	}
	close(stop)
	<-stopped
	t.Logf("%d of 50 packs noticed the writer", noticed)
	checkUniform(t, pack(t, dir)) // it works again once the writer has stopped
}

func checkUniform(t *testing.T, packed *os.File) {
	t.Helper()
	p, err := Open(packed)
	must(t, err)
	defer p.Close()
	got, err := fs.ReadFile(p.Files, "data.txt")
	must(t, err)
	if n := bytes.Count(got, got[:1]); n != len(got) {
		t.Errorf("a mixture of two contents: %d of %d", n, len(got))
	}
}
