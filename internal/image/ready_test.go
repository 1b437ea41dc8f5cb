package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const app = mp.AppID("com.example.loan")

func keepReady(t testing.TB, s *Store, d byte, content string) {
	t.Helper()
	f, err := Reopen(memory(t, content))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.KeepReady(app, mp.Digest{d}, "build", f); err != nil {
		t.Fatal(err)
	}
}

// readyOf gives a ready image's content, "" if there is none.
func readyOf(t testing.TB, s *Store, d byte) string {
	t.Helper()
	f := s.Ready(app, mp.Digest{d}, "build")
	if f == nil {
		return ""
	}
	return content(t, f)
}

// A ready image serves as often as it is asked for, restarts or not.
func TestReady(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	keepReady(t, s, 1, "ready")
	for range 2 {
		for range 2 {
			if got := readyOf(t, s, 1); got != "ready" {
				t.Fatalf("got %q", got)
			}
		}
		s = reopened(t, s, dir)
	}
	keepReady(t, s, 1, "another")
	if got := readyOf(t, s, 1); got != "another" || s.ready.bytes != int64(len("another")) {
		t.Errorf("replaced: got %q, %d bytes", got, s.ready.bytes)
	}
}

// One for another build or application is no image, and gone.
func TestReadyOfAnother(t *testing.T) {
	for name, ask := range map[string]func(*Store) *os.File{
		"build":       func(s *Store) *os.File { return s.Ready(app, mp.Digest{1}, "another") },
		"application": func(s *Store) *os.File { return s.Ready("com.example.other", mp.Digest{1}, "build") },
	} {
		dir := privateDir(t)
		s := openStore(t, dir)
		keepReady(t, s, 1, "ready")
		s = reopened(t, s, dir)
		if f := ask(s); f != nil {
			t.Errorf("another %s: %q", name, content(t, f))
		}
		if exists(dir, "ready", nameOf(mp.Digest{1})) || s.ready.bytes != 0 {
			t.Errorf("another %s: it stays", name)
		}
	}
}

func TestReadyTampered(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir)
	keepReady(t, s, 1, "one")
	keepReady(t, s, 2, "two")
	s.Close()
	file := func(d byte) string { return filepath.Join(dir, "ready", nameOf(mp.Digest{d})) }
	two, err := os.ReadFile(file(2))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(file(1), two, 0o600)
	os.WriteFile(file(3), []byte("short"), 0o600)
	os.WriteFile(filepath.Join(dir, "ready", "stray"), two, 0o600)
	s = openStore(t, dir)
	if got := readyOf(t, s, 1); got != "" {
		t.Errorf("one in the place of another: %q", got)
	}
	if got := readyOf(t, s, 2); got != "two" {
		t.Errorf("the other: %q", got)
	}
	if exists(file(3)) || exists(dir, "ready", "stray") {
		t.Error("what is no image stays")
	}
}

// The one used longest ago goes, for the number and for the bytes.
func TestReadyBounds(t *testing.T) {
	dir := privateDir(t)
	s := openStore(t, dir) // four, and 1 MiB
	for d := range byte(4) {
		keepReady(t, s, d, "x")
	}
	readyOf(t, s, 0)
	keepReady(t, s, 4, "x")
	if readyOf(t, s, 1) != "" || readyOf(t, s, 0) == "" || exists(dir, "ready", nameOf(mp.Digest{1})) {
		t.Error("for the number, another one went")
	}
	keepReady(t, s, 5, strings.Repeat("x", 1<<20-1)) // with one byte of another
	if readyOf(t, s, 5) == "" || readyOf(t, s, 0) == "" || readyOf(t, s, 4) != "" || s.ready.bytes != 1<<20 {
		t.Errorf("for the bytes, others went; %d bytes are left", s.ready.bytes)
	}
	keepReady(t, s, 6, strings.Repeat("x", 1<<20+1))
	if readyOf(t, s, 6) != "" {
		t.Error("one that is too large is kept")
	}
	s.SetReady(Options{})
	if len(s.ready.images) != 0 || exists(dir, "ready", nameOf(mp.Digest{0})) {
		t.Error("with nothing allowed, something stays")
	}
}
