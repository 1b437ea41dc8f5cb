package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// member is one entry of an archive.
type member struct {
	name string
	kind byte // of archive/tar; 0 is a regular file
	link string
	text string
}

func pack(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := tar.Header{Name: m.name, Typeflag: m.kind, Linkname: m.link, Mode: 0o644, Size: int64(len(m.text))}
		if m.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func integrity(archive []byte) string {
	sum := sha512.Sum512(archive)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// registryOf serves archives by their paths and counts the requests. The cache
// of the test is empty at first.
func registryOf(t *testing.T, archives map[string][]byte) *atomic.Int64 {
	t.Helper()
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		b, ok := archives[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	t.Setenv("npm_config_registry", s.URL+"/")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	return &requests
}

// projectOf makes a project with a lockfile, one directory below a new one.
func projectOf(t *testing.T, lock any, files ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	b, err := json.Marshal(lock)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "package-lock.json"), string(b))
	for i := 0; i < len(files); i += 2 {
		write(t, filepath.Join(dir, files[i]), files[i+1])
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lockOf is a lockfile of version 3 with one package.
func lockOf(dir string, p map[string]any) map[string]any {
	return map[string]any{"lockfileVersion": 3, "packages": map[string]any{"": map[string]any{}, dir: p}}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
