package supervisor

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func TestPackages(t *testing.T) {
	r := newRig(t)
	if again := r.put("one"); again != r.digest {
		t.Error("the same files have another digest")
	}
	size := r.packages.size
	if two := r.put("two"); two == r.digest {
		t.Error("other files have the same digest")
	}
	r.packages.setMax(2*size + 20)
	used := r.mustStart() // keeps "one"
	r.put("abc")          // drops "two", the only one that nothing uses
	if len(r.packages.packs) != 2 {
		t.Errorf("%d packages are kept", len(r.packages.packs))
	}
	if _, err := r.packages.acquire(mustParse(t, r.digest)); err != nil {
		t.Errorf("the package in use: %v", err)
	}
	r.alive(used)
	r.packages.setMax(size - 1)
	if _, err := r.client.PutPackage(context.Background(), packed(t, "def", "")); !errors.Is(err, mp.ErrTooLarge) {
		t.Errorf("a package above the bound: %v", err)
	}
	r.packages.setMax(size + 5)
	if _, err := r.client.PutPackage(context.Background(), packed(t, "def", "")); !errors.Is(err, control.ErrBusy) {
		t.Errorf("no room beside what is used: %v", err)
	}
}

func mustParse(t *testing.T, s string) mp.Digest {
	t.Helper()
	d, err := mp.ParseDigest(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A file that is not a sealed package is refused, whatever it is.
func TestBadPackageFiles(t *testing.T) {
	r := newRig(t)
	before := openFDs(t)
	fifo, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	defer w.Close()
	device, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	plain, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, f := range map[string]*os.File{"FIFO": fifo, "device": device, "file": plain} {
		if _, err := r.client.PutPackage(context.Background(), f); !errors.Is(err, mp.ErrBadPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	settleFDs(t, before+4)
}
