package js

import (
	"context"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// TestFault makes the engine follow a bad pointer, as a guest might through a
// defect of QuickJS.
func TestFault(t *testing.T) {
	notUnderRace(t)
	for _, c := range []struct {
		name string
		addr uintptr
		want mp.Fault
	}{
		{"null", 8, mp.FaultNull},
		{"null page", 0x8000, mp.FaultNull},
		{"past the heap", addrOf(maxPages - 1), mp.FaultGuard},
		{"past the descriptors", metaBase + metaSize - 64, mp.FaultGuard},
		{"wild", 0x7000_0000_1230, mp.FaultWild},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, nil)
			if _, err := b.Load(context.Background(), program("export const f = () => 1")); err != nil {
				t.Fatal(err)
			}
			v := &theRoot().entry[entryInvoke]
			v.Fu.Fuint641 = uint64(c.addr)
			answered := make(chan error, 1)
			b.Call(context.Background(), "f", nil, func(_ []byte, err error) { answered <- err })
			x := wantExit(t, b.Run(context.Background()), mp.CauseMemoryViolation)
			if x.Fault != c.want {
				t.Errorf("the fault was %q (%s), want %q", x.Fault, x.Detail, c.want)
			}
			wantExit(t, <-answered, mp.CauseMemoryViolation)
		})
	}
}

func TestCorruptHeapEndsTheProgram(t *testing.T) {
	b := open(t, nil)
	if _, err := b.Load(context.Background(), program("export const f = () => 1")); err != nil {
		t.Fatal(err)
	}
	// A string of its own block, freed behind the engine's back.
	s := b.newString(string(make([]byte, 10000)))
	theRoot().heap.free(pointer(s) - 8)
	defer func() {
		if _, ok := recover().(corrupt); !ok {
			t.Error("freeing it again was not noticed")
		}
	}()
	b.drop(s)
}
