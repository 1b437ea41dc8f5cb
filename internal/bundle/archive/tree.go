package archive

import (
	"fmt"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// checkTree checks the entries of a whole package against each other: sorted,
// none twice, nothing below what is no directory, and not too many.
func checkTree(entries []entry) error {
	if len(entries) > MaxFiles {
		return fmt.Errorf("more than %d files: %w", MaxFiles, mp.ErrTooLarge)
	}
	seen := make(map[string]Kind, len(entries))
	for i, e := range entries {
		if err := e.check(); err != nil {
			return err
		}
		if i > 0 && entries[i-1].name >= e.name {
			return fmt.Errorf("name %q is twice in the package or out of order", e.name)
		}
		seen[e.name] = e.kind
		for dir := range parents(e.name) {
			if kind, ok := seen[dir]; ok { // a directory sorts before what is in it
				return errBelow(dir, kind, e.name)
			}
		}
	}
	return nil
}

func errBelow(dir string, kind Kind, name string) error {
	switch kind {
	case Link:
		return fmt.Errorf("%q is a symbolic link, and %q would be on its other side", dir, name)
	case Directory:
		return fmt.Errorf("%q has an entry of its own though it is not empty: %w", dir, errForm)
	}
	return fmt.Errorf("%q is both a file and a directory", dir)
}

// check checks what an entry says by itself.
func (e entry) check() error {
	if err := CheckName(e.name); err != nil {
		return err
	}
	switch {
	case e.kind != Plain && !BelowRoot(e.name):
		return fmt.Errorf("%q is more than a plain file, and not below %s/", e.name, Root)
	case e.kind == Link && (e.size == 0 || e.size > MaxLink):
		return fmt.Errorf("%q is a symbolic link whose target has %d bytes: 1 to %d are allowed", e.name, e.size, MaxLink)
	case e.kind == Directory && e.size != 0:
		return fmt.Errorf("%q is a directory with content: %w", e.name, errForm)
	case int64(e.size) > MaxBytes(e.name):
		return tooLong(e.name, int64(e.size), MaxBytes(e.name))
	}
	return nil
}

func tooLong(name string, size, most int64) error {
	return fmt.Errorf("%.80q has %d bytes, at most %d are allowed: %w", name, size, most, mp.ErrTooLarge)
}

// parents yields the directories that name is in, the outermost first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := strings.IndexByte(name, '/'); i >= 0; {
			if !yield(name[:i]) {
				return
			}
			next := strings.IndexByte(name[i+1:], '/')
			if next < 0 {
				return
			}
			i += 1 + next
		}
	}
}
