package main

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// lockfile is what package-lock.json says, in its version 3: the docs of npm,
// package-lock.json(5).
type lockfile struct {
	Version  int                      `json:"lockfileVersion"`
	Packages map[string]lockedPackage `json:"packages"` // by where it is unpacked, "node_modules/…"; "" is the project
}

type lockedPackage struct {
	Name      string `json:"name"` // if it is not what the path says
	Version   string `json:"version"`
	Integrity string `json:"integrity"`
	Link      bool   `json:"link"`
	Dev       bool   `json:"dev"`      // for the developers of the project, not for its program
	Optional  bool   `json:"optional"` // for some platforms
}

// dependency is a package to fetch.
type dependency struct {
	dir       string // slash-separated, relative to the project
	name      string
	version   string
	integrity string
}

// readLock returns what a project's lockfile pins; nothing if it has none.
func readLock(project string) ([]dependency, error) {
	name := filepath.Join(project, "package-lock.json")
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var lock lockfile
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if lock.Version != 3 {
		return nil, fmt.Errorf("%s has version %d; only 3 is known: npm 7 and later write it", name, lock.Version)
	}
	var deps []dependency
	for dir, p := range lock.Packages {
		if dir == "" || p.Dev || p.Optional {
			continue
		}
		d, err := p.dependency(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, dir, err)
		}
		deps = append(deps, d)
	}
	return deps, nil
}

const modules = "node_modules/"

func (p lockedPackage) dependency(dir string) (dependency, error) {
	if p.Link || !filepath.IsLocal(dir) || path.Clean(dir) != dir || !strings.HasPrefix(dir, modules) {
		return dependency{}, fmt.Errorf("only packages of the registry below %s can be used", modules)
	}
	if p.Name == "" {
		p.Name = dir[strings.LastIndex(dir, modules)+len(modules):]
	}
	if !strings.HasPrefix(p.Integrity, sha512Prefix) {
		return dependency{}, fmt.Errorf("integrity %.40q is not a SHA-512", p.Integrity)
	}
	return dependency{dir, p.Name, p.Version, p.Integrity}, nil
}

// sha512Prefix begins a SHA-512 of Subresource Integrity (W3C), section 3.1.
const sha512Prefix = "sha512-"

// check holds an archive against the lockfile.
func (d dependency) check(archive []byte) error {
	sum := sha512.Sum512(archive)
	got := sha512Prefix + base64.StdEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(d.integrity)) != 1 {
		return fmt.Errorf("%s %s is %s, and the lockfile has %s", d.name, d.version, got, d.integrity)
	}
	return nil
}

// address is where the registry has the archive.
func (d dependency) address(registry string) string {
	return fmt.Sprintf("%s/%s/-/%s-%s.tgz", strings.TrimSuffix(registry, "/"), d.name, path.Base(d.name), d.version)
}
