package cgroup

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// Further places of a process are beside its first, wherever it has moved to.
func TestPlacesOfAProcessAreSideBySide(t *testing.T) {
	first := place(t)
	before := where(t)
	var leaves []func() error
	for i := range 3 {
		p, err := Own(fmt.Sprintf("mpsupervisor-test/beside-%d-%d", os.Getpid(), i))
		if err != nil {
			t.Fatal(err)
		}
		if p.base[""] != first.base[""] {
			t.Errorf("place %d is below %s, the first below %s", i, p.base[""], first.base[""])
		}
		leave, err := p.Settle()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, func() error { return errors.Join(leave(), p.Remove()) })
	}
	for _, i := range []int{1, 2, 0} { // not in the order that they came in
		if err := leaves[i](); err != nil {
			t.Error(err)
		}
	}
	if after := where(t); after != before {
		t.Errorf("from %s it came back to %s", before, after)
	}
}

// where gives the group of this process in the unified hierarchy.
func where(t *testing.T) string {
	t.Helper()
	l, err := detect()
	if err != nil {
		t.Fatal(err)
	}
	return l.unified
}
