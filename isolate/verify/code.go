package verify

import (
	"os"
	"strconv"
	"sync"
)

// inherited is how many filters this process is under, and its children with it.
var inherited = sync.OnceValue(func() int {
	s, err := readStatus("/proc/" + strconv.Itoa(os.Getpid()) + "/status")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(s["Seccomp_filters"])
	return n
})

// loading reports whether a worker may still load code: a thread of it lacks the
// filter that ends that.
func (v *view) loading() bool {
	if v.Code == nil {
		return false
	}
	for _, t := range v.tasks {
		n, err := strconv.Atoi(t["Seccomp_filters"])
		if err != nil || n < inherited()+v.Code.Filters {
			return true
		}
	}
	return false
}

// onceLoaded is for the lock that keeps memory from becoming executable: a worker
// that loads code sets and proves it, and then its last filter.
func onceLoaded(on look) look {
	return func(v *view) (want, found string, ok bool) {
		want, found, ok = on(v)
		if v.loading() {
			return want, "to come: nothing of the program has run; the worker sets it, with a further filter, when the program's code is loaded", ok
		}
		return want, found, ok
	}
}
