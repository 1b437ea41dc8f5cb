package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// errForm is the answer to bytes that Write would not have written.
var errForm = errors.New("not in the form of a package: pack the directory again")

// Files reads the directory of the package of size bytes in r and checks all
// of its structure. The contents are read, and compared with their checksums,
// when they are asked for. r must not change, and must allow concurrent reads.
func Files(r io.ReaderAt, size int64) (*FS, error) {
	entries, err := readEntries(r, size)
	if err != nil {
		return nil, fmt.Errorf("cannot read package: %w", err)
	}
	f := newFS(r, entries)
	if f.links, err = readLinks(f); err != nil {
		return nil, fmt.Errorf("cannot read package: %w", err)
	}
	return f, nil
}

// readLinks reads the target of each symbolic link and follows it.
func readLinks(f *FS) (*links, error) {
	targets := map[string]string{}
	var entries []entry
	for _, n := range f.files {
		if n.kind != Link {
			continue
		}
		target, err := f.content(n)
		if err != nil {
			return nil, err
		}
		entries, targets[n.name] = append(entries, n.entry), string(target)
	}
	return followAll(entries, targets)
}

func readEntries(r io.ReaderAt, size int64) ([]entry, error) {
	if err := checkSize(size); err != nil {
		return nil, err
	}
	n, dirSize, err := readEnd(r, size)
	if err != nil {
		return nil, err
	}
	dir := make([]byte, dirSize+endSize)
	if err := readAt(r, dir, size-int64(len(dir))); err != nil {
		return nil, err
	}
	entries, err := parseDirectory(dir, n)
	if err != nil {
		return nil, err
	}
	return entries, checkEntries(r, entries, dir, size)
}

// readEnd gives the number of entries and the bytes of the central directory,
// both within their bounds and the file.
func readEnd(r io.ReaderAt, size int64) (n, dirSize int, err error) {
	if size < endSize {
		return 0, 0, fmt.Errorf("%d bytes: %w", size, errForm)
	}
	var b [endSize]byte
	if err := readAt(r, b[:], size-endSize); err != nil {
		return 0, 0, err
	}
	if string(b[:4]) != "PK\x05\x06" {
		return 0, 0, fmt.Errorf("no end of central directory record: %w", errForm)
	}
	n = int(binary.LittleEndian.Uint16(b[10:]))
	dir := int64(binary.LittleEndian.Uint32(b[12:]))
	switch {
	case n > MaxFiles:
		return 0, 0, fmt.Errorf("%d files, at most %d are allowed: %w", n, MaxFiles, mp.ErrTooLarge)
	case dir > int64(n)*(centralSize+MaxName+1) || dir > size-endSize:
		return 0, 0, fmt.Errorf("central directory of %d bytes: %w", dir, errForm)
	}
	return n, int(dir), nil
}

// parseDirectory takes from the central directory what cannot be derived. What
// can be is compared as a whole later.
func parseDirectory(dir []byte, n int) ([]entry, error) {
	entries := make([]entry, n)
	for i := range entries {
		if len(dir) < centralSize {
			return nil, fmt.Errorf("file %d of %d: cut-off header: %w", i+1, n, errForm)
		}
		nameLen := int(binary.LittleEndian.Uint16(dir[28:]))
		if len(dir)-centralSize < nameLen {
			return nil, fmt.Errorf("file %d of %d: cut-off name: %w", i+1, n, errForm)
		}
		var err error
		if entries[i], err = parseHeader(dir[:centralSize+nameLen]); err != nil {
			return nil, err
		}
		dir = dir[centralSize+nameLen:]
	}
	return entries, nil
}

// parseHeader reads one central directory header with its name.
func parseHeader(b []byte) (entry, error) {
	e := entry{
		crc:    binary.LittleEndian.Uint32(b[16:]),
		size:   binary.LittleEndian.Uint32(b[24:]),
		offset: binary.LittleEndian.Uint32(b[42:]),
		name:   string(b[centralSize:]),
	}
	attributes, ok := binary.LittleEndian.Uint32(b[38:]), false
	if e.kind, ok = kindOf(attributes); !ok {
		return e, fmt.Errorf("%.80q has the attributes %#x: %w", e.name, attributes, errForm)
	}
	if e.kind == Directory {
		if e.name, ok = strings.CutSuffix(e.name, "/"); !ok {
			return e, fmt.Errorf("directory %.80q does not end with a slash: %w", e.name, errForm)
		}
	}
	return e, nil
}

// checkEntries holds entries against the rules, and then every header of the
// package against what Write would have written for them.
func checkEntries(r io.ReaderAt, entries []entry, dir []byte, size int64) error {
	if err := checkTree(entries); err != nil {
		return err
	}
	next := int64(0)
	for _, e := range entries {
		if int64(e.offset) != next {
			return fmt.Errorf("%.80q does not begin where the file before it ends: %w", e.name, errForm)
		}
		next = e.end()
	}
	if next+int64(len(dir)) != size {
		return fmt.Errorf("the files end at %d of %d bytes: %w", next, size, errForm)
	}
	if !bytes.Equal(dir, directory(entries)) {
		return fmt.Errorf("central directory: %w", errForm)
	}
	return checkLocal(r, entries)
}

// checkLocal compares the local headers, the second place where names and
// sizes stand.
func checkLocal(r io.ReaderAt, entries []entry) error {
	var want, got []byte
	for _, e := range entries {
		want = e.local(want[:0])
		got = append(got[:0], want...) // its length
		if err := readAt(r, got, int64(e.offset)); err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%q: local header differs from the directory's: %w", e.name, errForm)
		}
	}
	return nil
}

// readAt fills b from offset. A reader that has fewer bytes than its size
// promised gives io.ErrUnexpectedEOF.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
