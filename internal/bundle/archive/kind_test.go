package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// laid gives the entries the offsets that follow from their sizes.
func laid(entries []entry, contents []string) []entry {
	next := int64(0)
	for i := range entries {
		e := &entries[i]
		e.size, e.crc, e.offset = uint32(len(contents[i])), checksum([]byte(contents[i])), uint32(next)
		next = e.end()
	}
	return entries
}

// of forges a package of one entry for each pair of name and content.
func of(kind Kind, pairs ...string) []byte {
	var entries []entry
	var contents []string
	for i := 0; i < len(pairs); i += 2 {
		entries, contents = append(entries, entry{name: pairs[i], kind: kind}), append(contents, pairs[i+1])
	}
	return forged(laid(entries, contents), contents...)
}

// mixed forges a package of files that Write would refuse.
func mixed(entries []entry, contents ...string) []byte {
	return forged(laid(entries, contents), contents...)
}

// withAttributes forges a package of one empty entry with any attributes.
func withAttributes(name string, attributes uint32) []byte {
	e := entry{name: name}
	b := forged([]entry{e}, "")
	at := len(b) - endSize - len(name) - 8
	for i := range 4 {
		b[at+i] = byte(attributes >> (8 * i))
	}
	return b
}

// hostileKinds are packages whose bytes are consistent and whose meaning is not
// allowed.
var hostileKinds = []struct {
	name  string
	bytes []byte
	want  string
}{
	{"executable outside of root/", of(Executable, "bin/x", ""), `"bin/x" is more than a plain file`},
	{"link outside of root/", of(Link, "x", "app.js"), `"x" is more than a plain file`},
	{"directory outside of root/", of(Directory, "void", ""), `"void" is more than a plain file`},
	{"root/ itself a link", of(Link, "root", "etc"), `"root" is more than a plain file`},
	{"root/ itself a directory", of(Directory, "root", ""), `"root" is more than a plain file`},
	{"beside root/", of(Executable, "root-x/y", ""), "is more than a plain file"},
	{"setuid", withAttributes("root/su", 0o104755<<16), "has the attributes 0x89ed0000"},
	{"setgid", withAttributes("root/su", 0o102755<<16), "has the attributes"},
	{"sticky", withAttributes("root/su", 0o101755<<16), "has the attributes"},
	{"group-writable", withAttributes("root/su", 0o100664<<16), "has the attributes"},
	{"mode of a character device", withAttributes("root/null", 0o020666<<16), "has the attributes"},
	{"mode of a block device", withAttributes("root/sda", 0o060666<<16), "has the attributes"},
	{"mode of a FIFO", withAttributes("root/pipe", 0o010644<<16), "has the attributes"},
	{"mode of a socket", withAttributes("root/sock", 0o140644<<16), "has the attributes"},
	{"no mode", withAttributes("root/x", 0), "has the attributes 0x0"},
	{"a bit of MS-DOS", withAttributes("root/x", 0o100644<<16|0x10), "has the attributes"},
	{"directory without its slash", withAttributes("root/x", 0o040755<<16), "does not end with a slash"},
	{"file with a slash", withAttributes("root/x/", 0o100644<<16), "not a path inside"},
	{"link with a slash", withAttributes("root/x/", 0o120777<<16), "not a path inside"},
	{"directory with two slashes", of(Directory, "root/x/", ""), "not a path inside"},
	{"directory with content", of(Directory, "root/x", "y"), "is a directory with content"},
	{"directory that is not empty", mixed([]entry{{name: "root/x", kind: Directory}, {name: "root/x/y"}}, "", ""), "though it is not empty"},
	{"directory twice", of(Directory, "root/x", "", "root/x", ""), "twice"},
	{"file and directory of one name", mixed([]entry{{name: "root/x"}, {name: "root/x", kind: Directory}}, "", ""), "twice"},
	{"below an executable", mixed([]entry{{name: "root/x", kind: Executable}, {name: "root/x/y"}}, "", ""), "both a file and a directory"},
	{"below a link", mixed([]entry{{name: "root/x", kind: Link}, {name: "root/x/y"}}, "y", ""), `"root/x" is a symbolic link, and "root/x/y" would be on its other side`},
	{"far below a link", mixed([]entry{{name: "root/x", kind: Link}, {name: "root/x-y"}, {name: "root/x/y/z"}}, "y", "", ""), "on its other side"},
	{"empty link", of(Link, "root/x", ""), "target has 0 bytes"},
	{"long link", of(Link, "root/x", strings.Repeat("y", MaxLink+1)), "target has 256 bytes"},
	{"link to NUL", of(Link, "root/x", "a\x00b"), "has a control character"},
	{"link to an escape sequence", of(Link, "root/x", "\x1b[2J"), "has a control character"},
	{"link to a backslash", of(Link, "root/x", `..\..\x`), "has a backslash"},
	{"link to what is not UTF-8", of(Link, "root/x", "\xff"), "is not UTF-8"},
	{"link out", of(Link, "root/x", "../x"), "root/x is a symbolic link to \"../x\", which leaves root/: make it lead to something inside root/, or leave it out"},
	{"link out from below", of(Link, "root/a/b/x", "../../../etc/passwd"), "leaves root/"},
	{"link up and in again", of(Link, "root/x", "../root/y"), "leaves root/"},
	{"absolute link out", of(Link, "root/x", "/../etc/passwd"), "leaves root/"},
	{"link out at its end", of(Link, "root/x", "y/../.."), "leaves root/"},
	{"link out through another", of(Link, "root/a/b/deep", "/top", "root/x", "a/b/deep/../.."), `root/x is a symbolic link to "a/b/deep/../..", which leaves root/`},
	{"link out through two others", of(Link, "root/a/2", "/", "root/a/b/1", "../2", "root/x", "a/b/1/.."), `root/x is a symbolic link to "a/b/1/..", which leaves root/`},
	{"link to itself", of(Link, "root/x", "x"), "leads through more than 40 symbolic links"},
	{"links in a circle", of(Link, "root/x", "y", "root/y", "/x"), "leads through more than 40 symbolic links"},
	{"link into itself", of(Link, "root/x", "x/y"), "leads through more than 40 symbolic links"},
	{"links that double", doubling(), "leads through more than 40 symbolic links"},
	{"links that grow", growing(), "leads to a name of more than 255 bytes"},
	{"checksum of a link", func() []byte {
		e := laid([]entry{{name: "root/x", kind: Link}}, []string{"y"})
		e[0].crc++
		return forged(e, "y")
	}(), "does not match its checksum"},
}

// doubling has links each of which goes through the one before twice.
func doubling() []byte {
	pairs := []string{"root/00", "."}
	for i := 1; i < 60; i++ {
		pairs = append(pairs, fmt.Sprintf("root/%02d", i), fmt.Sprintf("%02d/%02d", i-1, i-1))
	}
	return of(Link, pairs...)
}

// growing has links each of which leads further down than the one before.
func growing() []byte {
	pairs := []string{"root/00", strings.Repeat("x/", 50)}
	for i := 1; i < 30; i++ {
		pairs = append(pairs, fmt.Sprintf("root/%02d", i), fmt.Sprintf("%02d/", i-1)+strings.Repeat("x/", 50))
	}
	return of(Link, pairs...)
}

func TestHostileKinds(t *testing.T) {
	for _, tt := range hostileKinds {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := open(tt.bytes); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Files: %v, want %q", err, tt.want)
			}
		})
	}
	for _, good := range [][]byte{withAttributes("root/x", 0o100755<<16), of(Link, "root/x", "y", "root/y", "z"), of(Directory, "root/x", "")} {
		if _, err := open(good); err != nil {
			t.Errorf("the helpers themselves make bad packages: %v", err)
		}
	}
}

// TestWriteRefusesKinds holds that the writer has the reader's rules.
func TestWriteRefusesKinds(t *testing.T) {
	for name, files := range map[string]map[string]File{
		"more than a plain file": {"x": program("")},
		"leaves root/":           {"root/x": linkTo("../x")},
		"on its other side":      {"root/x": linkTo("y"), "root/x/y": plain("")},
		"though it is not empty": {"root/x": {Kind: Directory}, "root/x/y": plain("")},
		"with content":           {"root/x": {Kind: Directory, Content: []byte("x")}},
		"target has 0 bytes":     {"root/x": linkTo("")},
		"at most 67108864":       {"root/x": {Kind: Executable, Content: make([]byte, MaxRootFile+1)}},
	} {
		var b strings.Builder
		if err := Write(&b, files); err == nil || !strings.Contains(err.Error(), name) || b.Len() > 0 {
			t.Errorf("Write: %v, want %q; %d bytes written", err, name, b.Len())
		}
	}
}

func TestFollowing(t *testing.T) {
	f, err := open(write(t, map[string]File{
		"app.js":               plain("outside"),
		"root/bin":             linkTo("usr/bin"),
		"root/lib":             linkTo("/usr/lib/"),
		"root/usr/bin/sh":      linkTo("busybox"),
		"root/usr/bin/busybox": program("bb"),
		"root/usr/bin/env":     linkTo("../../bin/./sh"),
		"root/usr/lib/self":    linkTo("/"),
		"root/etc/mtab":        linkTo("../proc/self/mounts"),
		"root/void":            {Kind: Directory},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"root/bin/sh":                    "root/usr/bin/busybox",
		"root/usr/bin/env":               "root/usr/bin/busybox",
		"root/lib/self/bin/env":          "root/usr/bin/busybox",
		"root/lib/self/lib/self/usr/bin": "root/usr/bin",
		"root/void":                      "root/void",
		"app.js":                         "app.js",
		"root/etc/mtab":                  "", // it leads to what is not in the package
		"root/bin/busybox/x":             "",
		"bin/sh":                         "",
	} {
		n, err := f.find("stat", name)
		switch {
		case want == "" && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s: %v", name, err)
		case want != "" && (err != nil || n.name != want):
			t.Errorf("%s leads to %v, %v, want %s", name, n, err, want)
		}
	}
	if b, err := f.ReadFile("root/bin/env"); err != nil || string(b) != "bb" {
		t.Errorf("%q, %v", b, err)
	}
	if i, err := f.Stat("root/bin/sh"); err != nil || i.Mode() != 0o555 {
		t.Errorf("%v, %v", i, err)
	}
	if _, err := f.ReadLink("root/usr/bin/busybox"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("ReadLink of a file: %v", err)
	}
}

func TestCopyFile(t *testing.T) {
	content := strings.Repeat("0123456789", 20000)
	b := write(t, map[string]File{"a": plain(content), "root/b": linkTo("c")})
	f, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := f.CopyFile(&out, "a"); err != nil || out.String() != content {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
	for name, want := range map[string]error{"root": errIsDir, "x": fs.ErrNotExist, "root/b": fs.ErrNotExist} {
		if err := f.CopyFile(&out, name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	b[len(content)/2]++
	if err := f.CopyFile(&out, "a"); !errors.Is(err, errChecksum) {
		t.Errorf("a changed byte: %v", err)
	}
}

// TestMostLinks holds that the most links that a package can have are followed
// in a time that nobody notices.
func TestMostLinks(t *testing.T) {
	files := map[string]File{}
	for i := range MaxFiles {
		name := fmt.Sprintf("root/%04d", i)
		files[name] = linkTo(strings.Repeat("./", 125) + fmt.Sprintf("%04d", i-i%30))
		if i%30 == 0 {
			files[name] = plain("")
		}
	}
	if _, err := open(write(t, files)); err != nil {
		t.Error(err)
	}
	files["root/more"] = plain("")
	if err := Write(new(strings.Builder), files); !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("one more: %v", err)
	}
}
