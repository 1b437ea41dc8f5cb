package js

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Constants of ELF-64 (System V ABI, chapters 4 and 5) and of the auxiliary
// vector (getauxval(3)).
const (
	auxHeaders = 3 // AT_PHDR
	auxSize    = 4 // AT_PHENT
	auxCount   = 5 // AT_PHNUM

	segmentNote    = 4 // PT_NOTE
	segmentHeaders = 6 // PT_PHDR

	goNoteName  = "Go\x00\x00"
	goNoteBuild = 4
)

// programHeader is an Elf64_Phdr.
type programHeader struct {
	Type, Flags                   uint32
	Offset, Virtual, Physical     uint64
	FileSize, MemorySize, Aligned uint64
}

var errNoBuildID = errors.New("this executable has no build ID")

// BuildID is the Go build ID of the running executable: what the linker put
// into the note .note.go.buildid, which changes with every byte that goes into
// the executable and which stripping leaves alone. It is read from memory, so
// that no /proc is needed.
func BuildID() (string, error) {
	headers, err := programHeaders()
	if err != nil {
		return "", err
	}
	for _, p := range headers {
		if p.Type == segmentHeaders && uintptr(p.Virtual) != uintptr(unsafe.Pointer(&headers[0])) {
			return "", errors.New("this executable is position-independent")
		}
	}
	for _, p := range headers {
		if p.Type == segmentNote {
			if id := findNote(bytesAt(uintptr(p.Virtual), uintptr(p.MemorySize))); id != "" {
				return id, nil
			}
		}
	}
	return "", errNoBuildID
}

// programHeaders is the table that the kernel mapped with the executable.
func programHeaders() ([]programHeader, error) {
	vector, err := unix.Auxv()
	if err != nil {
		return nil, err
	}
	var start, size, count uintptr
	for _, a := range vector {
		switch a[0] {
		case auxHeaders:
			start = a[1]
		case auxSize:
			size = a[1]
		case auxCount:
			count = a[1]
		}
	}
	if start == 0 || size != unsafe.Sizeof(programHeader{}) {
		return nil, errNoBuildID
	}
	return unsafe.Slice((*programHeader)(at(start)), count), nil
}

// findNote returns Go's build ID out of a segment of notes, or "". A note is
// three words (length of name, length of description, type), the name and the
// description, each padded to four bytes.
func findNote(b []byte) string {
	for len(b) >= 12 {
		name, size := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
		kind := binary.NativeEndian.Uint32(b[8:])
		b = b[12:]
		end := pad(name) + pad(size)
		if end > uint64(len(b)) {
			return ""
		}
		if kind == goNoteBuild && string(b[:name]) == goNoteName {
			return string(b[pad(name) : pad(name)+uint64(size)])
		}
		b = b[end:]
	}
	return ""
}

func pad(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
