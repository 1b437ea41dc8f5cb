// Package bundle makes a mini-program's directory into a package and checks
// packages that others made.
//
// A package is one memory file (memfd_create(2)) in the form that the
// subpackage archive specifies, sealed so that nobody, its maker included, can
// change it: what was checked is what runs, and its digest is its identity.
// Pack makes one from a directory, with the rights of the caller. Open checks
// one from a file descriptor and believes nothing about who made it. The
// worker reads the files with the subpackage alone.
//
// Do not assume that a package which Open accepted has harmless code in it:
// Open checks its form and its manifest, the worker's locks hold the code.
//
// The manifest is manifest.json of the W3C MiniApp Manifest (Editor's Draft of
// w3c.github.io/miniapp-manifest) with the member "mpsupervisor" for what is
// ours. A bad required member makes the package unusable, and the error names
// the member and its line. A bad optional one becomes a Warning and is left
// out, as the specification's processing steps do. Unknown members are ignored
// in silence, as the specification asks; but not inside "mpsupervisor", where a
// misspelt limit would be a limit that is not there.
package bundle

import (
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// badError is what is wrong with a package: its text is for people, and it is
// an mp.ErrBadPackage besides what its cause is.
type badError struct{ cause error }

func (e *badError) Error() string   { return e.cause.Error() }
func (e *badError) Unwrap() []error { return []error{mp.ErrBadPackage, e.cause} }

func bad(format string, args ...any) error { return &badError{fmt.Errorf(format, args...)} }
