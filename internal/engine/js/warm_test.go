package js

import (
	"encoding/binary"
	"io"
	"testing"
)

// What the list says is what a program writes to, and little more; a list that
// makes no sense does no harm.
func TestWarmPages(t *testing.T) {
	prelude := writeImage(t)
	b := begin(t, prelude, program(`export const f = () => 1`))
	b.must("f", "")
	listed := map[uint32]bool{}
	list := b.base.file[warmOffset:]
	for i := range binary.LittleEndian.Uint32(list) {
		listed[binary.LittleEndian.Uint32(list[4+4*i:])] = true
	}
	missed := 0
	for _, n := range b.base.written(&theRoot().heap) {
		if !listed[n] {
			missed++
		}
	}
	if missed > len(listed)/4 || len(listed) < 8 || len(listed) == maxWarm {
		t.Errorf("a program writes to %d pages that are not among the %d of the list", missed, len(listed))
	}
	b.end()

	if err := CheckImage(prelude); err != nil {
		t.Error(err)
	}
	good, err := io.ReadAll(io.NewSectionReader(prelude, 0, maxImage))
	if err != nil {
		t.Fatal(err)
	}
	for i := warmOffset; i < pageSize; i++ {
		good[i] = 0xff
	}
	bad := memory(t)
	if _, err := bad.Write(good); err != nil {
		t.Fatal(err)
	}
	b = begin(t, bad, program(`export const f = () => 1`))
	defer b.end()
	if got := b.must("f", ""); got != "1" || b.Image() != "mapped" {
		t.Errorf("with a list of nonsense: %s, %s", got, b.Image())
	}
}
