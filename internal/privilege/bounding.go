package privilege

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// lastCap bounds the search for capabilities; the sets have 64 bits.
const lastCap Cap = 63

// shutBoundingSet takes every capability out of the bounding set. It does not
// touch what the threads hold already, only what an exec could ever give.
func shutBoundingSet() error {
	for c := Cap(0); c <= lastCap; c++ {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if err != nil {
			return nil // EINVAL: the kernel has no more capabilities
		}
		if in == 0 {
			continue
		}
		if err := prctl(unix.PR_CAPBSET_DROP, uintptr(c)); err != nil {
			return fmt.Errorf("cannot take capability %d out of the bounding set: %w", c, err)
		}
	}
	return nil
}
