package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	defaultRegistry = "https://registry.npmjs.org"
	maxArchive      = 64 << 20  // bytes of one package, packed
	maxUnpacked     = 256 << 20 // bytes of one package, unpacked
	attempts        = 3
)

// registry is the one that npm would take from its environment.
func registry() string {
	if r := os.Getenv("npm_config_registry"); r != "" {
		return r
	}
	return defaultRegistry
}

// install unpacks what the project's lockfile pins into its node_modules. What
// was unpacked for the same lockfile before stays.
func install(ctx context.Context, project string) error {
	deps, err := readLock(project)
	if err != nil || len(deps) == 0 {
		return err
	}
	for _, d := range deps {
		if err := d.install(ctx, project); err != nil {
			return fmt.Errorf("cannot install %s %s: %w", d.name, d.version, err)
		}
	}
	return nil
}

// mark names the file that says which archive a package was unpacked from.
const mark = ".integrity"

func (d dependency) install(ctx context.Context, project string) error {
	dir := filepath.Join(project, filepath.FromSlash(d.dir))
	if b, err := os.ReadFile(filepath.Join(dir, mark)); err == nil && string(b) == d.integrity {
		return nil
	}
	archive, err := d.archive(ctx)
	if err != nil {
		return err
	}
	if err := removeButModules(dir); err != nil {
		return err
	}
	if err := unpack(dir, archive); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, mark), []byte(d.integrity), 0o644)
}

// removeButModules empties a directory, but for the packages that are nested in it.
func removeButModules(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries {
		if e.Name() != "node_modules" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return os.MkdirAll(dir, 0o755)
}

// archive is the package's, out of the cache of earlier builds or from the
// registry, and is what the lockfile says either way.
func (d dependency) archive(ctx context.Context) ([]byte, error) {
	cached := d.cacheFile()
	if b, err := os.ReadFile(cached); err == nil && d.check(b) == nil {
		return b, nil
	}
	b, err := d.download(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.check(b); err != nil {
		return nil, err
	}
	// Without the cache the next build downloads again, and says so if it cannot.
	if os.MkdirAll(filepath.Dir(cached), 0o755) == nil {
		_ = os.WriteFile(cached, b, 0o644)
	}
	return b, nil
}

func (d dependency) cacheFile() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "mpsupervisor-npm", fmt.Sprintf("%s-%s.tgz", strings.ReplaceAll(d.name, "/", "+"), d.version))
}

func (d dependency) download(ctx context.Context) (b []byte, err error) {
	for n := range attempts {
		if n > 0 {
			time.Sleep(time.Duration(n) * time.Second)
		}
		if b, err = get(ctx, d.address(registry())); err == nil {
			return b, nil
		}
	}
	return nil, err
}

func get(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, res.Status)
	}
	return readAtMost(res.Body, maxArchive)
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return b, err
}

// unpack writes the regular files of a gzip'ed tar archive to dir. The first
// directory of each name is npm's and goes.
func unpack(dir string, archive []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for t, left := tar.NewReader(z), int64(maxUnpacked); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, ok := strings.Cut(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !ok || name == "" {
			continue
		}
		b, err := readAtMost(t, left)
		if err != nil {
			return err
		}
		left -= int64(len(b))
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, b, 0o644); err != nil {
			return err
		}
	}
}
