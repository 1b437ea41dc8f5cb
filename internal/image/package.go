package image

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func nameOf(d mp.Digest) string { return hex.EncodeToString(d[:]) }

// digestOf is the opposite of nameOf, for names that it could have given.
func digestOf(name string) (d mp.Digest) {
	b, _ := hex.DecodeString(name)
	copy(d[:], b)
	return d
}

// validName reports whether nameOf could have given a name.
func validName(name string) bool {
	return nameOf(digestOf(name)) == name
}

// keepPackage keeps a copy of a package, unless there is one.
func (s *Store) keepPackage(d mp.Digest, pack *os.File) error {
	if _, err := s.packages.Stat(nameOf(d)); err == nil {
		return nil
	}
	n, err := size(pack)
	if err != nil {
		return err
	}
	return s.packages.write(nameOf(d), func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(pack, 0, n))
		return err
	})
}

// dropPackage removes the copy of a package that nothing needs any more.
func (s *Store) dropPackage(d mp.Digest) {
	if s.drafts[d] > 0 {
		return
	}
	for _, in := range s.registry.Instances {
		if in.Package == d {
			return
		}
	}
	s.packages.Remove(nameOf(d)) // else the next sweep does
}

// Package gives the copy of a hibernated program's package in a memory file,
// sealed. Whoever opens it finds out by its digest whether it is the one.
func (s *Store) Package(d mp.Digest) (*os.File, error) {
	f, err := s.packages.Open(nameOf(d))
	if err != nil {
		return nil, fmt.Errorf("cannot open the copy of package %v: %w", d, err)
	}
	defer f.Close()
	m, err := NewMemory("package")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(m, f); err != nil {
		m.Close()
		return nil, fmt.Errorf("cannot read the copy of package %v: %w", d, err)
	}
	return Seal(m)
}
