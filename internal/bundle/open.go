package bundle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Package is a checked package. It holds its memory file until Close.
type Package struct {
	Digest   mp.Digest // SHA-256 of all its bytes
	Size     int64     // of all its bytes
	Manifest Manifest
	Warnings []Warning   // in the order of their lines
	Files    *archive.FS // works until Close

	file *os.File
}

// Open checks everything about the package in f: that it is sealed, so that
// it stays as it was checked; its size, before memory is taken; its form, every
// checksum, and its manifest. On success the package owns f. On an error, which
// is an mp.ErrBadPackage unless the system failed, f is still the caller's.
func Open(f *os.File) (*Package, error) {
	if err := checkSealed(f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p := &Package{Size: info.Size(), file: f}
	if p.Files, err = archive.Files(f, p.Size); err != nil {
		return nil, &badError{err}
	}
	if err := p.Files.Verify(); err != nil {
		return nil, &badError{err}
	}
	if err := p.readManifest(); err != nil {
		return nil, err
	}
	if p.Digest, err = digest(f, p.Size); err != nil {
		return nil, fmt.Errorf("cannot read package: %w", err)
	}
	return p, nil
}

func (p *Package) readManifest() error {
	info, err := p.Files.Stat(manifestName)
	switch {
	case err != nil || info.IsDir():
		return bad("there is no %s in the package", manifestName)
	case info.Size() > MaxManifest:
		return tooLarge(info.Size())
	}
	text, err := p.Files.ReadFile(manifestName)
	if err != nil {
		return bad("%w", err)
	}
	m, c, err := parseManifest(text)
	if err != nil {
		return err
	}
	if err := checkEntry(p.Files, m.Vendor); err != nil {
		return err
	}
	c.checkNamed(p.Files.Names())
	p.Manifest, p.Warnings = *m, c.sorted()
	return nil
}

// checkEntry establishes that there is something to begin with. The entry of a
// native program may be a symbolic link, or below one.
func checkEntry(files *archive.FS, v Vendor) error {
	info, err := files.Stat(v.Entry)
	switch {
	case v.Runtime == RuntimeNative && err != nil:
		return bad("there is no %q in the package, which %s names as %s.entry: %w", v.Entry, manifestName, vendorName, err)
	case err != nil || info.IsDir() && v.Runtime != RuntimeNative:
		return bad("there is no %q in the package: the program begins there, unless %s names another file as %s.entry",
			v.Entry, manifestName, vendorName)
	case v.Runtime == RuntimeNative && (!info.Mode().IsRegular() || info.Mode()&0o111 == 0):
		return bad("%q cannot be executed: %s.entry must name a program; make it executable (chmod +x)", v.Entry, vendorName)
	}
	return nil
}

// checkNamed warns about files that the manifest names and the package lacks.
// The specification has user agents ignore such paths.
func (c *checker) checkNamed(names []string) {
	files, routes := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		files[name] = true
		routes[strings.TrimSuffix(name, path.Ext(name))] = true
	}
	for _, f := range c.named {
		if files[f.path] || f.route && routes[f.path] {
			continue
		}
		c.warnings = append(c.warnings, Warning{f.member, f.line, fmt.Sprintf("names %q, which is not in the package", f.path)})
	}
}

func digest(f *os.File, size int64) (d mp.Digest, err error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, size))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF // cannot happen: it is sealed
	}
	h.Sum(d[:0])
	return d, err
}

// Reopen opens the package's bytes once more, read-only, for a process that
// may not be trusted: it shares neither offset nor flags with anybody.
func (p *Package) Reopen() (*os.File, error) { return reopen(p.file) }

// Close lets go of the memory file. What Reopen gave stays open.
func (p *Package) Close() error {
	if err := p.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
