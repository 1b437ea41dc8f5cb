package mp

// ImageKind is what a program's heap image holds.
type ImageKind string

const (
	ImageReady    ImageKind = "ready"    // a package's heap after its evaluation and before its first event
	ImageInstance ImageKind = "instance" // one running program's heap, between two turns of its event loop
)

// Valid reports whether k is one of the kinds.
func (k ImageKind) Valid() bool { return k == ImageReady || k == ImageInstance }
