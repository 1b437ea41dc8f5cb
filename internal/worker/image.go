package worker

import (
	"fmt"
	"io"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// WriteImage writes the engine's heap image to a file, which appears whole or
// not at all.
func WriteImage(name string) (err error) {
	tmp := name + ".tmp"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return fmt.Errorf("cannot write the heap image: %w", err)
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(tmp)
		}
	}()
	if err := js.WriteImage(f); err != nil {
		return err
	}
	if err := js.CheckImage(f); err != nil {
		return fmt.Errorf("cannot use the heap image: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot write the heap image: %w", err)
	}
	return os.Rename(tmp, name)
}

// CheckImage reports why a file is not a sound image for this executable's
// engine. A worker does not look at every byte of its image, so damage is found
// here or not at all.
func CheckImage(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot read the heap image: %w", err)
	}
	defer f.Close()
	if err := js.CheckImage(f); err != nil {
		return fmt.Errorf("cannot use the heap image: %w", err)
	}
	return nil
}

// PrintVersion tells what decides whether binaries fit together.
func PrintVersion(w io.Writer) error {
	id, err := js.BuildID()
	if err != nil {
		id = err.Error()
	}
	_, err = fmt.Fprintf(w, "mpworker %s, protocol %d, build %s\n", mp.Version, wire.Version, id)
	return err
}
