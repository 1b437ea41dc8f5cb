package control

import (
	"os"
	"path/filepath"
	"testing"
)

// TestListenReplacesOnlySockets holds that a wrong path in the configuration
// costs nobody a file.
func TestListenReplacesOnlySockets(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(precious, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{precious, link, dir} {
		if l, err := Listen(path, -1); err == nil {
			l.Close()
			t.Errorf("Listen(%s) replaced it", path)
		}
	}
	if b, err := os.ReadFile(link); string(b) != "kept" || err != nil {
		t.Errorf("the file holds %q, %v", b, err)
	}
	socket := filepath.Join(dir, "socket")
	for range 2 { // the second replaces what the first left
		l, err := Listen(socket, -1)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
