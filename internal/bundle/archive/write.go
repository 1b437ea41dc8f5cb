package archive

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Write writes the package that holds files, by name, to w. Names and sizes
// are checked before the first byte; a file must not be a directory of another.
func Write(w io.Writer, files map[string][]byte) error {
	names := slices.Sorted(maps.Keys(files))
	entries, err := layout(names, files)
	if err != nil {
		return fmt.Errorf("cannot write package: %w", err)
	}
	var head []byte
	for _, e := range entries {
		head = e.local(head[:0])
		if _, err := w.Write(head); err != nil {
			return err
		}
		if _, err := w.Write(files[e.name]); err != nil {
			return err
		}
	}
	_, err = w.Write(directory(entries))
	return err
}

// layout gives each file its place.
func layout(names []string, files map[string][]byte) ([]entry, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	entries := make([]entry, len(names))
	next := int64(0)
	for i, name := range names {
		content := files[name]
		if len(content) > MaxFile {
			return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed: %w", name, len(content), MaxFile, mp.ErrTooLarge)
		}
		entries[i] = entry{name: name, size: uint32(len(content)), crc: checksum(content), offset: uint32(next)}
		next = entries[i].end()
	}
	return entries, checkSize(next + int64(len(directory(entries))))
}

// checkSize checks the bytes of a whole package.
func checkSize(size int64) error {
	if size > MaxSize {
		return fmt.Errorf("the package has %d bytes, at most %d are allowed: %w", size, MaxSize, mp.ErrTooLarge)
	}
	return nil
}

// directory is everything after the last file.
func directory(entries []entry) []byte {
	var b []byte
	var offset int64
	for _, e := range entries {
		b = e.central(b)
		offset = e.end()
	}
	return end(b, len(entries), uint32(len(b)), uint32(offset))
}

// checkNames checks the names of a whole package: sorted, none twice, none
// both a file and a directory, not too many.
func checkNames(names []string) error {
	if len(names) > MaxFiles {
		return fmt.Errorf("more than %d files: %w", MaxFiles, mp.ErrTooLarge)
	}
	seen := make(map[string]bool, len(names)) // files
	for i, name := range names {
		if err := CheckName(name); err != nil {
			return err
		}
		if i > 0 && names[i-1] >= name {
			return fmt.Errorf("name %q is twice in the package or out of order", name)
		}
		seen[name] = true
		for dir := range parents(name) {
			if seen[dir] { // a directory sorts before what is in it
				return fmt.Errorf("%q is both a file and a directory", dir)
			}
		}
	}
	return nil
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
