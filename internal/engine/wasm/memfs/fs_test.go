package memfs

import (
	"bytes"
	"io"
	"io/fs"
	"strings"
	"testing"

	experimentalsys "github.com/tetratelabs/wazero/experimental/sys"
)

// purse is a budget.
type purse struct{ left int64 }

func (p *purse) Take(n int64) bool {
	if n > p.left {
		return false
	}
	p.left -= n
	return true
}

func (p *purse) Give(n int64) { p.left += n }

const (
	create = experimentalsys.O_RDWR | experimentalsys.O_CREAT
	size   = 1 << 20
)

func newFS() (*FS, *purse) {
	p := &purse{size}
	return New(size, 10, p), p
}

func put(t *testing.T, f *FS, name, text string) {
	t.Helper()
	file, errno := f.OpenFile(name, create|experimentalsys.O_TRUNC, 0)
	if errno != 0 {
		t.Fatal(name, errno)
	}
	defer file.Close()
	if n, errno := file.Write([]byte(text)); n != len(text) || errno != 0 {
		t.Fatal(name, n, errno)
	}
}

func get(f *FS, name string) string {
	file, errno := f.OpenFile(name, experimentalsys.O_RDONLY, 0)
	if errno != 0 {
		return errno.Error()
	}
	defer file.Close()
	b := make([]byte, size)
	n, errno := file.Read(b)
	if errno != 0 {
		return errno.Error()
	}
	return string(b[:n])
}

func names(t *testing.T, f *FS, dir string) string {
	t.Helper()
	file, errno := f.OpenFile(dir, experimentalsys.O_RDONLY|experimentalsys.O_DIRECTORY, 0)
	if errno != 0 {
		return errno.Error()
	}
	defer file.Close()
	var all []string
	for { // two at a time, to the end
		some, errno := file.Readdir(2)
		if errno != 0 || len(some) == 0 {
			return strings.Join(all, " ")
		}
		for _, e := range some {
			all = append(all, e.Name)
		}
	}
}

func TestFiles(t *testing.T) {
	f, _ := newFS()
	put(t, f, "a", "hello")
	put(t, f, "/a", "world")
	if got := get(f, "./a"); got != "world" {
		t.Errorf("got %q", got)
	}
	file, errno := f.OpenFile("a", experimentalsys.O_RDWR|experimentalsys.O_APPEND, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	file.Write([]byte("!"))
	if n, errno := file.Pwrite([]byte("W"), 0); n != 1 || errno != 0 {
		t.Error(n, errno)
	}
	if offset, errno := file.Seek(-2, io.SeekEnd); offset != 4 || errno != 0 {
		t.Error(offset, errno)
	}
	b := make([]byte, 10)
	if n, errno := file.Read(b); string(b[:n]) != "d!" || errno != 0 {
		t.Error(string(b[:n]), errno)
	}
	if _, errno := file.Seek(-1, io.SeekStart); errno != experimentalsys.EINVAL {
		t.Error(errno)
	}
	// What a file lost is not there again when it grows.
	if errno := file.Truncate(1); errno != 0 {
		t.Error(errno)
	}
	if n, errno := file.Pwrite([]byte("x"), 3); n != 1 || errno != 0 {
		t.Error(n, errno)
	}
	file.Close()
	if got := get(f, "a"); got != "W\x00\x00x" {
		t.Errorf("got %q", got)
	}
	if _, errno := file.Write([]byte("x")); errno != experimentalsys.EBADF {
		t.Error("after Close:", errno)
	}
}

func TestNames(t *testing.T) {
	f, _ := newFS()
	for _, c := range []struct {
		what string
		got  experimentalsys.Errno
		want experimentalsys.Errno
	}{
		{"mkdir", f.Mkdir("d", 0), 0},
		{"mkdir again", f.Mkdir("d", 0), experimentalsys.EEXIST},
		{"mkdir of the root", f.Mkdir("/", 0), experimentalsys.EEXIST},
		{"mkdir above", f.Mkdir("../../e", 0), 0}, // there is nothing above
		{"mkdir below nothing", f.Mkdir("x/y", 0), experimentalsys.ENOENT},
		{"mkdir d/e", f.Mkdir("d/e", 0), 0},
		{"long name", f.Mkdir(strings.Repeat("x", 256), 0), experimentalsys.ENAMETOOLONG},
		{"rmdir full", f.Rmdir("d"), experimentalsys.ENOTEMPTY},
		{"rmdir root", f.Rmdir("/"), experimentalsys.EINVAL},
		{"unlink dir", f.Unlink("d"), experimentalsys.EISDIR},
		{"unlink nothing", f.Unlink("z"), experimentalsys.ENOENT},
		{"rename into itself", f.Rename("d", "d/e/f"), experimentalsys.EINVAL},
		{"rename of the root", f.Rename("/", "x"), experimentalsys.EINVAL},
		{"rename over full", f.Rename("e", "d"), experimentalsys.ENOTEMPTY},
		{"rename", f.Rename("d/e", "d2"), 0},
		{"rename over empty", f.Rename("d2", "e"), 0},
		{"rename to itself", f.Rename("e", "./e"), 0},
		{"symlink", f.Symlink("a", "b"), experimentalsys.ENOSYS},
		{"link", f.Link("a", "b"), experimentalsys.ENOSYS},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	put(t, f, "file", "1")
	for _, c := range []struct {
		what string
		got  experimentalsys.Errno
		want experimentalsys.Errno
	}{
		{"below a file", f.Mkdir("file/x", 0), experimentalsys.ENOTDIR},
		{"file over dir", f.Rename("file", "d"), experimentalsys.EISDIR},
		{"dir over file", f.Rename("d", "file"), experimentalsys.ENOTDIR},
		{"rmdir file", f.Rmdir("file"), experimentalsys.ENOTDIR},
		{"rename in", f.Rename("file", "d/file"), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	put(t, f, "d/b", "")
	put(t, f, "d/a", "")
	if got := names(t, f, "d"); got != "a b file" {
		t.Errorf("names %q", got)
	}
	if st, errno := f.Stat("d"); errno != 0 || st.Mode&fs.ModeDir == 0 {
		t.Error(st, errno)
	}
	if st, errno := f.Lstat("d/file"); errno != 0 || st.Size != 1 || st.Mode != 0o600 {
		t.Error(st, errno)
	}
	if _, errno := f.OpenFile("d/a", create|experimentalsys.O_EXCL, 0); errno != experimentalsys.EEXIST {
		t.Error(errno)
	}
	if _, errno := f.OpenFile("d", experimentalsys.O_RDWR, 0); errno != experimentalsys.EISDIR {
		t.Error(errno)
	}
}

// There is no more room than was given, and what is removed is room again.
func TestRoom(t *testing.T) {
	f, p := newFS()
	file, _ := f.OpenFile("big", create, 0)
	for _, offset := range []int64{size, 1 << 40, 1<<63 - 2} {
		if _, errno := file.Pwrite([]byte("xx"), offset); errno == 0 {
			t.Errorf("a write at %d was taken", offset)
		}
	}
	chunk := bytes.Repeat([]byte("x"), 10_000)
	for {
		if _, errno := file.Write(chunk); errno == experimentalsys.EIO {
			break
		}
	}
	if p.left < 0 || p.left > size/4 || p.left+(size-f.bytes) < 0 {
		t.Errorf("%d bytes are left", p.left)
	}
	// Removed and still open, it keeps its bytes.
	if errno := f.Unlink("big"); errno != 0 || p.left == size {
		t.Error(errno, p.left)
	}
	file.Close()
	file.Close()
	if p.left != size || f.bytes != size {
		t.Errorf("%d bytes of the budget and %d of the file system came back", p.left, f.bytes)
	}
	made := 0
	for ; f.Mkdir(string(rune('a'+made)), 0) == 0; made++ {
	}
	if made != 10 {
		t.Errorf("made %d names", made)
	}
	p.left = 100 // others took it
	f.Rmdir("a")
	file, _ = f.OpenFile("a", create, 0)
	if _, errno := file.Write([]byte("x")); errno != experimentalsys.EIO {
		t.Error("a write without budget:", errno)
	}
	if errno := file.Truncate(1 << 62); errno != experimentalsys.EIO {
		t.Error(errno)
	}
}

// So many files can be open at once.
func TestOpen(t *testing.T) {
	f, _ := newFS()
	put(t, f, "a", "")
	for range maxOpen {
		if _, errno := f.OpenFile("a", experimentalsys.O_RDONLY, 0); errno != 0 {
			t.Fatal(errno)
		}
	}
	if _, errno := f.OpenFile("a", experimentalsys.O_RDONLY, 0); errno == 0 {
		t.Error("one more")
	}
}
