package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// native is the minimal manifest with a member "mpsupervisor", on line 8.
func native(members string) string {
	return plus(`"mpsupervisor": {"runtime": "native"` + members + `}`)
}

var nativeManifest = native(`, "entry": "root/bin/sh"`)

// nativeDirectory makes a native program's directory, laid out as distributions
// do.
func nativeDirectory(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "manifest.json", nativeManifest)
	put(t, dir, "icon.svg", "<svg/>")
	put(t, dir, "root/usr/bin/busybox", "#!")
	must(t, os.Chmod(filepath.Join(dir, "root/usr/bin/busybox"), 0o700))
	put(t, dir, "root/etc/.hidden", "kept")
	put(t, dir, "root/usr/bin/.config/x", "kept")
	for name, target := range map[string]string{
		"root/bin": "usr/bin", "root/usr/bin/sh": "/bin/busybox", "root/etc/mtab": "../proc/self/mounts", "root/usr/lib64": "lib",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	must(t, os.MkdirAll(filepath.Join(dir, "root/var/tmp"), 0o755))
	must(t, os.Chmod(filepath.Join(dir, "root/var/tmp"), 0o777|os.ModeSticky))
	return dir
}

func openNative(t testing.TB, dir string) *Package {
	t.Helper()
	p, err := Open(pack(t, dir))
	must(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

// shape lists everything below dir with its mode and content.
func shape(t testing.TB, dir string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		must(t, err)
		content := ""
		switch d.Type() {
		case 0:
			b, err := os.ReadFile(path)
			must(t, err)
			content = string(b)
		case fs.ModeSymlink:
			content, err = os.Readlink(path)
			must(t, err)
		}
		all = append(all, fmt.Sprintf("%v %s %s", info.Mode(), strings.TrimPrefix(path, dir+"/"), content))
		return nil
	}))
	return all
}

func TestNativeRoundTrip(t *testing.T) {
	p := openNative(t, nativeDirectory(t))
	if v := p.Manifest.Vendor; v.Runtime != RuntimeNative || v.Entry != "root/bin/sh" || v.Native == nil {
		t.Errorf("%+v", v)
	}
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	must(t, ExtractRoot(p, root))
	want := []string{
		"Lrwxrwxrwx bin usr/bin",
		"drwxr-xr-x etc ",
		"-rw-r--r-- etc/.hidden kept",
		"Lrwxrwxrwx etc/mtab ../proc/self/mounts",
		"drwxr-xr-x usr ",
		"drwxr-xr-x usr/bin ",
		"drwxr-xr-x usr/bin/.config ",
		"-rw-r--r-- usr/bin/.config/x kept",
		"-rwxr-xr-x usr/bin/busybox #!",
		"Lrwxrwxrwx usr/bin/sh /bin/busybox",
		"Lrwxrwxrwx usr/lib64 lib",
		"drwxr-xr-x var ",
		"drwxr-xr-x var/tmp ",
	}
	if got := shape(t, dir); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestExtractRefuses(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	defer root.Close()
	js, err := Open(pack(t, directory(t)))
	must(t, err)
	defer js.Close()
	if err := ExtractRoot(js, root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a package without root/: %v", err)
	}
	p := openNative(t, nativeDirectory(t))
	must(t, root.Symlink("/etc", "usr"))
	if err := ExtractRoot(p, root); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a directory with something in it: %v", err)
	}
}

// TestExtractAgainstWriter extracts while somebody replaces directories by
// links out. Whatever comes of it, nothing outside may change; somebody who
// writes by paths is led out (the control).
func TestExtractAgainstWriter(t *testing.T) {
	dir := nativeDirectory(t)
	for i := range 100 {
		put(t, dir, fmt.Sprintf("root/victim/d%d/f", i), "x")
	}
	p := openNative(t, dir)
	outside := t.TempDir()
	for range 20 {
		raced(t, outside, func(into string) {
			root, err := os.OpenRoot(into)
			must(t, err)
			defer root.Close()
			ExtractRoot(p, root) // may fail or not
		})
	}
	if got := shape(t, outside); len(got) > 0 {
		t.Errorf("written outside: %q", got)
	}
	for try := 0; len(shape(t, outside)) == 0; try++ {
		if try == 1000 {
			t.Fatal("the control fails: the race is never lost")
		}
		raced(t, outside, func(into string) { extractByPath(p, into) })
	}
}

// raced runs extract into a directory of its own, in which victim becomes a
// link to outside as soon as it is there.
func raced(t *testing.T, outside string, extract func(into string)) {
	t.Helper()
	into := t.TempDir()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		victim := filepath.Join(into, "victim")
		for {
			select {
			case <-stop:
				return
			default:
			}
			if os.Rename(victim, victim+".old") == nil {
				os.Symlink(outside, victim)
			}
		}
	}()
	extract(into)
	close(stop)
	<-stopped
}

// extractByPath is what ExtractRoot must not be.
func extractByPath(p *Package, into string) {
	for _, name := range p.Files.Names() {
		if below, ok := strings.CutPrefix(name, "root/"); ok {
			path := filepath.Join(into, below)
			os.MkdirAll(filepath.Dir(path), 0o755)
			os.WriteFile(path, nil, 0o644)
		}
	}
}

func TestNativeManifest(t *testing.T) {
	m, _, err := parseManifest([]byte(native(`, "entry": "./root/bin/x",
		"native": {"args": ["-c", "", "a\nb"], "env": {"PATH": "/bin", "A": ""}, "syscalls": ["read", "write"]}`)))
	must(t, err)
	want := Vendor{Runtime: "native", Entry: "root/bin/x", Native: &Native{
		Args: []string{"-c", "", "a\nb"}, Env: []string{"PATH=/bin", "A="}, Syscalls: []string{"read", "write"}}}
	if !reflect.DeepEqual(m.Vendor, want) {
		t.Errorf("%+v, native %+v", m.Vendor, m.Vendor.Native)
	}
}

func TestBadNativeManifest(t *testing.T) {
	with := func(members string) string { return native(`, "entry": "root/x", "native": {` + members + `}`) }
	many := strings.Repeat(`"x",`, maxArgs) + `"x"`
	for _, tt := range []struct{ name, text, want string }{
		{"no entry", native(""), `mpsupervisor.entry is missing: it names the program that is executed, such as "root/bin/program"`},
		{"entry elsewhere", native(`, "entry": "bin/x"`), `mpsupervisor.entry must be below root/, which is the program's root directory, and is "bin/x"`},
		{"entry is the root", native(`, "entry": "root"`), `mpsupervisor.entry must be below root/, which is the program's root directory, and is "root"`},
		{"entry out of the root", native(`, "entry": "root/../x"`), `mpsupervisor.entry cannot name a file: name "root/../x" is not a path inside the package`},
		{"native without the runtime", plus(`"mpsupervisor": {"native": {}}`), `mpsupervisor.native is only for programs with the runtime "native"`},
		{"native array", native(`, "entry": "root/x", "native": []`), `mpsupervisor.native must be an object, not an array`},
		{"unknown", with(`"argv": []`), `mpsupervisor.native.argv is not known: mpsupervisor.native can have args, env, syscalls`},
		{"args string", with(`"args": "x"`), `mpsupervisor.native.args must be an array, not a string`},
		{"args number", with(`"args": ["x", 1]`), `mpsupervisor.native.args[1] must be a string, not a number`},
		{"args NUL", with(`"args": ["a\u0000b"]`), `mpsupervisor.native.args[0] has a zero byte`},
		{"args many", with(`"args": [` + many + `]`), `mpsupervisor.native.args has 257 members, at most 256 are allowed`},
		{"args long", with(`"args": ["` + strings.Repeat("x", maxArgText) + `"]`), `mpsupervisor.native.args has 32769 bytes, at most 32768 are allowed`},
		{"env array", with(`"env": ["A=1"]`), `mpsupervisor.native.env must be an object, not an array`},
		{"env name", with(`"env": {"A=B": "1"}`), `mpsupervisor.native.env."A=B" is no name of a variable: letters, digits and underscores, at most 64`},
		{"env name empty", with(`"env": {"": "1"}`), `mpsupervisor.native.env."" is no name of a variable: letters, digits and underscores, at most 64`},
		{"env number", with(`"env": {"A": 1}`), `mpsupervisor.native.env.A must be a string, not a number`},
		{"env NUL", with(`"env": {"A": "\u0000"}`), `mpsupervisor.native.env.A has a zero byte`},
		{"env twice", with(`"env": {"A": "1", "A": "2"}`), `mpsupervisor.native.env.A is there twice`},
		{"env of ours", with(`"env": {"MP_HOST_FD": "3"}`), `mpsupervisor.native.env.MP_HOST_FD is set by mpsupervisor alone`},
		{"env long", with(`"env": {"A": "` + strings.Repeat("x", maxArgText) + `"}`), `mpsupervisor.native.env has 32771 bytes, at most 32768 are allowed`},
		{"syscalls empty", with(`"syscalls": []`), `mpsupervisor.native.syscalls must not be empty`},
		{"syscalls number", with(`"syscalls": [0]`), `mpsupervisor.native.syscalls[0] must be a string, not a number`},
		{"syscalls name", with(`"syscalls": ["OPEN"]`), `mpsupervisor.native.syscalls[0] must be the name of a system call such as "openat", not "OPEN"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseManifest([]byte(tt.text))
			if err == nil || err.Error() != "manifest.json:8: "+tt.want || !errors.Is(err, mp.ErrBadPackage) {
				t.Errorf("got  %v\nwant manifest.json:8: %s", err, tt.want)
			}
		})
	}
}

// chmod gives what is at name a mode that Pack must not let pass.
func chmod(name string, mode fs.FileMode) preparation {
	return func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, name), mode)) }
}

var badRoots = []struct {
	name    string
	prepare preparation
	want    string
}{
	{"setuid", chmod("root/usr/bin/busybox", 0o755|os.ModeSetuid), "root/usr/bin/busybox has the setuid bit: take it away (chmod u-s), a program cannot change its user"},
	{"setgid", chmod("root/usr/bin/busybox", 0o755|os.ModeSetgid), "root/usr/bin/busybox has the setgid bit: take it away (chmod g-s), a program cannot change its user"},
	{"sticky", chmod("root/usr/bin/busybox", 0o755|os.ModeSticky), "root/usr/bin/busybox has the sticky bit: take it away (chmod -t), a program cannot change its user"},
	{"FIFO", func(t *testing.T, dir string) { must(t, unix.Mkfifo(filepath.Join(dir, "root/etc/pipe"), 0o644)) },
		"root/etc/pipe is a FIFO: leave it out; a program gets a /dev and a /tmp of its own, and makes the rest there"},
	{"socket", func(t *testing.T, dir string) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "root/s"), Net: "unix"})
		must(t, err)
		t.Cleanup(func() { l.Close() })
	}, "root/s is a socket: leave it out"},
	{"device", func(t *testing.T, dir string) {
		err := unix.Mknod(filepath.Join(dir, "root/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
		if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
			t.Skip("making a device needs root (CAP_MKNOD)")
		}
		must(t, err)
	}, "root/null is a device: leave it out"},
	{"hidden FIFO", func(t *testing.T, dir string) { must(t, unix.Mkfifo(filepath.Join(dir, "root/.pipe"), 0o644)) }, "root/.pipe is a FIFO"},
	{"link out", link("../x", "root/x"), `root/x is a symbolic link to "../x", which leaves root/: make it lead to something inside root/, or leave it out`},
	{"link out to the host", link("../../../../../../etc/passwd", "root/etc/passwd"), "which leaves root/"},
	{"link out through another", link("../bin/../../..", "root/etc/up"), `root/etc/up is a symbolic link to "../bin/../../..", which leaves root/`},
	{"absolute link that leaves", link("/../etc/passwd", "root/x"), "which leaves root/"},
	{"link in a circle", link("x", "root/x"), "which leads through more than 40 symbolic links"},
	{"long link", link(strings.Repeat("x", 256), "root/x"), `"root/x" is a symbolic link whose target has 256 bytes: 1 to 255 are allowed`},
	{"control character in a link", link("a\x1bb", "root/x"), "has a control character"},
	{"root is a link", func(t *testing.T, dir string) {
		remove("root")(t, dir)
		link("/", "root")(t, dir)
	}, `root is a symbolic link to "/", which leaves the package: put the file itself there`},
	{"link outside of root", link("app.js", "x"), `x is a symbolic link to "app.js": put the file itself there`},
	{"large", sized("root/big", archive.MaxRootFile+1), "root/big has 67108865 bytes, at most 67108864 are allowed"},
	{"many links", func(t *testing.T, dir string) {
		for i := range archive.MaxFiles {
			must(t, os.Symlink("x", filepath.Join(dir, fmt.Sprintf("root/etc/%d", i))))
		}
	}, "more than 4096 files and directories"},
}

func TestPackRefusesRoots(t *testing.T) {
	for _, tt := range badRoots {
		t.Run(tt.name, func(t *testing.T) {
			dir := nativeDirectory(t)
			must(t, second(Pack(dir))) // the control
			tt.prepare(t, dir)
			_, err := Pack(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, mp.ErrBadPackage) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A symbolic link that is replaced while the directory is read is noticed.
func TestLinkChangedWhileRead(t *testing.T) {
	dir := nativeDirectory(t)
	root, err := openRoot(dir)
	must(t, err)
	defer root.Close()
	tree := newTree(root)
	must(t, tree.read("."))
	must(t, tree.unchanged()) // the control
	must(t, os.Remove(filepath.Join(dir, "root/bin")))
	must(t, os.Symlink("usr/bim", filepath.Join(dir, "root/bin")))
	if err := tree.unchanged(); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("error %v", err)
	}
}

var nativeFiles = map[string]archive.File{
	"manifest.json":    {Content: []byte(nativeManifest)},
	"icon.svg":         {Content: []byte("<svg/>")},
	"root/bin":         {Kind: archive.Link, Content: []byte("usr/bin")},
	"root/usr/bin/sh":  {Kind: archive.Link, Content: []byte("bb")},
	"root/usr/bin/bb":  {Kind: archive.Executable, Content: []byte("#!")},
	"root/usr/bin/txt": {Content: []byte("text")},
	"root/void":        {Kind: archive.Directory},
}

// nativeBut gives a native package's bytes with some files replaced.
func nativeBut(t testing.TB, files map[string]archive.File) []byte {
	t.Helper()
	all := maps.Clone(nativeFiles)
	maps.Copy(all, files)
	var b bytes.Buffer
	must(t, archive.Write(&b, all))
	return b.Bytes()
}

func TestNativeEntry(t *testing.T) {
	entry := func(name string) archive.File {
		return archive.File{Content: []byte(native(`, "entry": "` + name + `"`))}
	}
	for name, want := range map[string]string{
		"root/bin/sh":           "",
		"root/usr/bin/bb":       "",
		"root/bin/txt":          `"root/bin/txt" cannot be executed: mpsupervisor.entry must name a program; make it executable (chmod +x)`,
		"root/bin":              `"root/bin" cannot be executed`,
		"root/void":             `"root/void" cannot be executed`,
		"root/sh":               `there is no "root/sh" in the package, which manifest.json names as mpsupervisor.entry`,
		"root/bin/sh/x":         "there is no",
		"root/usr/bin/dangling": "there is no",
	} {
		_, err := Open(sealed(t, nativeBut(t, map[string]archive.File{
			"manifest.json": entry(name), "root/usr/bin/dangling": {Kind: archive.Link, Content: []byte("/nowhere")}}), seals))
		if (want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), want) || !errors.Is(err, mp.ErrBadPackage)) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
