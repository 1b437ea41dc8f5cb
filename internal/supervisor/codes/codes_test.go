package codes

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, most int64) (*Dir, string) {
	t.Helper()
	path := t.TempDir()
	d, err := Open(path, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, path
}

func put(t *testing.T, d *Dir, k Key, text string) {
	t.Helper()
	if err := d.Put(k, strings.NewReader(text), int64(len(text))); err != nil {
		t.Fatal(err)
	}
}

func get(d *Dir, k Key) string {
	f, err := d.Get(k)
	if err != nil {
		return "error: " + err.Error()
	}
	defer f.Close()
	b, _ := io.ReadAll(f)
	return string(b)
}

func TestKeeps(t *testing.T) {
	d, path := open(t, 100)
	k := Key{1}
	if _, err := d.Get(k); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	put(t, d, k, "code")
	put(t, d, k, "other code")
	if got := get(d, k); got != "other code" {
		t.Errorf("got %q", got)
	}
	st, err := os.Stat(filepath.Join(path, k.String()))
	if err != nil || st.Mode() != 0o400 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	f, err := d.Get(k)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || seals&unix.F_SEAL_WRITE == 0 {
		t.Errorf("seals %#x, %v", seals, err)
	}
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("what came out can be written")
	}
	if err := errors.Join(d.Drop(k), d.Drop(k)); err != nil {
		t.Error(err)
	}
	if got := get(d, k); !strings.HasPrefix(got, "error") {
		t.Errorf("after Drop: %q", got)
	}
}

// What is too much goes, the entry that was used longest ago first.
func TestMakesRoom(t *testing.T) {
	d, path := open(t, 10+3*32)
	for i := range byte(3) {
		put(t, d, Key{i}, "123")
		past := time.Now().Add(time.Duration(i) * time.Minute).Add(-time.Hour)
		os.Chtimes(filepath.Join(path, Key{i}.String()), past, past)
	}
	get(d, Key{0}) // the newest now
	put(t, d, Key{3}, "1234")
	for i, want := range []string{"123", "error", "123", "1234"} {
		if got := get(d, Key{byte(i)}); !strings.HasPrefix(got, want) {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
	if err := d.Put(Key{4}, bytes.NewReader(make([]byte, 100)), 100); err == nil {
		t.Error("more than there can be was taken")
	}
}

// An entry that is not whole never appears, and is taken away one day.
func TestHalf(t *testing.T) {
	d, path := open(t, 100)
	if err := d.Put(Key{1}, strings.NewReader("short"), 10); err == nil {
		t.Error("a short entry was taken")
	}
	if names, _ := os.ReadDir(path); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
	left := filepath.Join(path, temporary+"x")
	os.WriteFile(left, []byte("x"), 0o400)
	put(t, d, Key{1}, "a")
	if _, err := os.Stat(left); err != nil {
		t.Error("somebody's file was removed:", err)
	}
	past := time.Now().Add(-2 * stale)
	os.Chtimes(left, past, past)
	put(t, d, Key{2}, "b")
	if _, err := os.Stat(left); err == nil {
		t.Error("nobody's file stays")
	}
}

// Damage to any byte is noticed.
func TestDamage(t *testing.T) {
	d, path := open(t, 100)
	put(t, d, Key{1}, "code")
	file := filepath.Join(path, Key{1}.String())
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x80
		if err := os.WriteFile(file, b, 0o400); err != nil {
			t.Fatal(err)
		}
		if got := get(d, Key{1}); !strings.HasPrefix(got, "error") {
			t.Errorf("byte %d: %q", i, got)
		}
	}
	for n := range len(good) {
		if err := os.WriteFile(file, good[:n], 0o400); err != nil {
			t.Fatal(err)
		}
		if got := get(d, Key{1}); !strings.HasPrefix(got, "error") {
			t.Errorf("%d bytes of it: %q", n, got)
		}
	}
	put(t, d, Key{1}, "again")
	if got := get(d, Key{1}); got != "again" {
		t.Errorf("got %q", got)
	}
}

func TestNoCode(t *testing.T) {
	d, path := open(t, 100)
	os.Mkdir(filepath.Join(path, Key{1}.String()), 0o700)
	os.Symlink("/etc/passwd", filepath.Join(path, Key{2}.String()))
	for _, k := range []Key{{1}, {2}} {
		if f, err := d.Get(k); err == nil {
			f.Close()
			t.Errorf("%v was taken for code", k)
		}
	}
}
