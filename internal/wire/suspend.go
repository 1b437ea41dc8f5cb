package wire

import (
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Suspend asks for an image of the program's heap, at the next moment at which
// no code of the program's is running. With it comes the writing end of a pipe,
// which takes the image: a worker can write to no file, not even to one in
// memory.
type Suspend struct {
	Kind mp.ImageKind `cbor:"1,keyasint"`
}

// Suspended answers Suspend when the whole image was written and nothing of the
// program will run again in this worker, or when there is no image and the
// program goes on.
type Suspended struct {
	Refused string `cbor:"1,keyasint,omitempty"` // why there is no image
}

func (m *Suspend) check() error {
	if !m.Kind.Valid() {
		return fmt.Errorf("image kind %.20q", string(m.Kind))
	}
	return nil
}

func (m *Suspended) check() error { return text("refused", m.Refused, MaxName) }
