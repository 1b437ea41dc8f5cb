// Package archive is the container of a package's files: a ZIP file of one
// exact form, its writer and its only reader.
//
// The form is canonical: the names and contents of the files determine every
// byte, so equal content has an equal digest, and a file that any other program
// made is refused. That leaves nothing for two readers to disagree about: no
// hole to hide bytes in, no second name for a file, no overlap. Common ZIP
// tools list and extract it.
//
//	entries, sorted by name, one after the other from offset 0:
//	    local file header (30 bytes), name, content
//	for each entry, in the same order:
//	    central directory header (46 bytes), name
//	end of central directory record (22 bytes), no comment
//
// Every header has these fixed values: version 2.0, made by Unix; flags 0x0800
// (the name is UTF-8); method 0 (stored); 1980-01-01 00:00; no extra field, no
// comment. The sizes and CRC-32 in both headers are the content's. The numbers
// of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16, give the
// fields' places.
//
// The external attributes have the Unix mode in their upper half, and say what
// an entry is. Outside of the directory root/ there is one kind:
//
//	0100644  a file
//
// A native program lives in root/, and needs more. Below it, there are also:
//
//	0100755  a file that can be executed
//	0120777  a symbolic link; its content is the target, of 1 to MaxLink bytes
//	0040755  an empty directory; its name in the headers ends with "/"
//
// A directory with something in it has no entry: it is there when a file is in
// it. Nothing is below a file or a link. Where a link leads, through others as
// the kernel would follow them, is inside root/: an absolute target begins
// there, and no step goes up from it. What it leads to need not be there.
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
//
// A package is kept in memory, and that of a native program is extracted to
// what may be memory as well. A Debian root with Python in it, without its
// documentation and package lists, has 95 MB in 2,500 entries, the largest of
// 7 MB; a Go program is one file of 10 MB or a few times that.
const (
	MaxFiles    = 4096      // entries in one package
	MaxFile     = 16 << 20  // bytes in one file
	MaxRootFile = 64 << 20  // bytes in one file below root/
	MaxSize     = 128 << 20 // bytes of the whole
	MaxName     = 255       // bytes in a file's name with its directories
	MaxDepth    = 32        // elements in a name
	MaxLink     = 255       // bytes in the target of a symbolic link
	maxHops     = 40        // symbolic links on the way to one file: Linux follows no more (path_resolution(7))
)

// Root is the directory of a native program's root file system.
const Root = "root"

// BelowRoot reports whether name is below Root.
func BelowRoot(name string) bool { return strings.HasPrefix(name, Root+"/") }

// Kind is what an entry is.
type Kind int

// The kinds. All but Plain are below root/ only.
const (
	Plain      Kind = iota // a file that is read
	Executable             // a file that can be executed
	Link                   // a symbolic link
	Directory              // an empty directory
)

// modes are the Unix modes of the kinds (inode(7)).
var modes = [...]uint32{Plain: 0o100644, Executable: 0o100755, Link: 0o120777, Directory: 0o040755}

// File is one entry as Write takes it. Of a Link the content is the target, of
// a Directory there is none.
type File struct {
	Kind    Kind
	Content []byte
}

// MaxBytes is how large a file of that name may be.
func MaxBytes(name string) int64 {
	if BelowRoot(name) {
		return MaxRootFile
	}
	return MaxFile
}

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
