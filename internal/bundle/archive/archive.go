// Package archive is the container of a package's files: a ZIP file of one
// exact form, its writer and its only reader.
//
// The form is canonical: the names and contents of the files determine every
// byte, so equal content has an equal digest, and a file that any other program
// made is refused. That leaves nothing for two readers to disagree about: no
// hole to hide bytes in, no second name for a file, no overlap. Common ZIP
// tools list and extract it.
//
//	files, sorted by name, one after the other from offset 0:
//	    local file header (30 bytes), name, content
//	for each file, in the same order:
//	    central directory header (46 bytes), name
//	end of central directory record (22 bytes), no comment
//
// Every header has these fixed values: version 2.0, made by Unix; flags 0x0800
// (the name is UTF-8); method 0 (stored); 1980-01-01 00:00; no extra field, no
// comment; external attributes of a regular file 0644. The sizes and CRC-32 in
// both headers are the content's. The numbers of PKWARE's APPNOTE.TXT 6.3.10,
// sections 4.3.7, 4.3.12 and 4.3.16, give the fields' places.
//
// There are no directory entries: a directory is there when a file is in it.
//
// The package has no JSON and no decompression in it, for the worker links it.
package archive

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The bounds of a package. They hold when it is written and when it is read;
// an error about one of them is an mp.ErrTooLarge.
const (
	MaxFiles = 4096     // files in one package
	MaxFile  = 16 << 20 // bytes in one file
	MaxSize  = 64 << 20 // bytes of the whole
	MaxName  = 255      // bytes in a file's name with its directories
	MaxDepth = 32       // elements in a name
)

// CheckName reports why name cannot name a file in a package: it must be what
// io/fs takes as a path, and hold no control character and no backslash. A
// name that Unicode writes in several ways is not brought into one form.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return fmt.Errorf("name %.40q… has %d bytes, at most %d are allowed: %w", name, len(name), MaxName, mp.ErrTooLarge)
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("name %q has a control character", name)
	case strings.Contains(name, `\`):
		return fmt.Errorf("name %q has a backslash", name)
	case name == "." || !fs.ValidPath(name):
		return fmt.Errorf("name %q is not a path inside the package", name)
	case strings.Count(name, "/") >= MaxDepth:
		return fmt.Errorf("name %q has more than %d elements: %w", name, MaxDepth, mp.ErrTooLarge)
	}
	return nil
}

// Root is the directory of a native program's root file system.
const Root = "root"

// BelowRoot reports whether name is below Root.
func BelowRoot(name string) bool { return strings.HasPrefix(name, Root+"/") }
