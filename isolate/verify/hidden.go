package verify

import (
	"fmt"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// look establishes one lock.
type look func(*view) (want, found string, ok bool)

// behindFilter is for a lock of which the kernel shows nothing: the worker sets
// and proves it before the filter, without which it goes no further.
func behindFilter(state string) look {
	return func(v *view) (want, found string, ok bool) {
		if _, filter, ok := seccomp(v); !ok {
			return state, "not shown by the kernel; the worker proves it before its filter, which is missing: " + filter, false
		}
		return state, "proven by the worker before its filter, which is on; not shown by the kernel", true
	}
}

// unlessAbsent is for a lock that not every kernel has. Worker and launcher run
// on the same one: where it has the lock the worker must have proven it, and
// where it has not, what stands in for the lock must be on.
func unlessAbsent(name lock.Name, there look) look {
	info, _ := lock.Lookup(name)
	return func(v *view) (want, found string, ok bool) {
		want, found, ok = there(v)
		if v.inKernel(name) {
			return want, found, ok
		}
		if v.Learn {
			return want, "not in this kernel, and the filter, which would do instead, refuses nothing", false
		}
		if _, filter, on := seccomp(v); !on {
			return want, "not in this kernel, and the filter, which would do instead, is missing: " + filter, false
		}
		return want, info.Absence, true
	}
}

// landlocked also says what this kernel's Landlock leaves to the other locks.
func landlocked(v *view) (want, found string, ok bool) {
	state := "nothing allowed that the kernel can deny"
	if v.Native != nil {
		state = "reading and executing below its root, writing in /tmp, using devices, and nothing else that the kernel can deny"
	}
	want, found, ok = behindFilter(state)(v)
	kernel, err := landlock.Running()
	if err != nil {
		return want, fmt.Sprintf("the kernel has none: %v", err), false
	}
	if missing := kernel.Missing(); ok && missing != nil {
		found += fmt.Sprintf("; ABI %d, which cannot deny %s", kernel.ABI, strings.Join(missing, ", "))
	}
	return want, found, ok
}
