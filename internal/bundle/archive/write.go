package archive

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Write writes the package that holds files, by name, to w. Everything is
// checked before the first byte, by the rules that the reader has.
func Write(w io.Writer, files map[string]File) error {
	entries, err := layout(files)
	if err != nil {
		return fmt.Errorf("cannot write package: %w", err)
	}
	var head []byte
	for _, e := range entries {
		head = e.local(head[:0])
		if _, err := w.Write(head); err != nil {
			return err
		}
		if _, err := w.Write(files[e.name].Content); err != nil {
			return err
		}
	}
	_, err = w.Write(directory(entries))
	return err
}

// layout gives each file its place.
func layout(files map[string]File) ([]entry, error) {
	names := slices.Sorted(maps.Keys(files))
	entries, links := make([]entry, len(names)), map[string]string{}
	next := int64(0)
	for i, name := range names {
		f := files[name]
		if len(f.Content) > MaxRootFile { // before its length is cut to 32 bits
			return nil, tooLong(name, int64(len(f.Content)), MaxBytes(name))
		}
		entries[i] = entry{name: name, kind: f.Kind, size: uint32(len(f.Content)), crc: checksum(f.Content), offset: uint32(next)}
		next = entries[i].end()
		if f.Kind == Link {
			links[name] = string(f.Content)
		}
	}
	if err := checkSize(next + int64(len(directory(entries)))); err != nil {
		return nil, err
	}
	if err := checkTree(entries); err != nil {
		return nil, err
	}
	_, err := followAll(entries, links)
	return entries, err
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
