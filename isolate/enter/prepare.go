package enter

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// prepare has Go's runtime and library do now what they would do later, when
// the filter kills for it:
//
//   - GOMAXPROCS, once set by hand, is not looked after: else the monitor thread
//     calls sched_getaffinity and reads the cgroup's cpu.max every second
//     (runtime/proc.go, sysmonUpdateGOMAXPROCS);
//   - the time zone is read from its file, once a process.
//
// Two more need nothing here. The poller's descriptors exist when closeDescriptors
// is done, which must spare them. And names for mappings (prctl, PR_SET_VMA) are
// answered with EINVAL by the filter, at which the runtime gives them up.
func prepare() error {
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno != 0 {
		return errors.New("not a pure Go program (CGO_ENABLED=0), so its threads cannot all be reached")
	}
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	_ = time.Now().Local().String() // looks the zone up
	return nil
}

// allThreads makes a system call on every thread. If they disagree about the
// result the runtime ends the process; if the first fails no other is asked.
// A pointer among the arguments stays where it is until all have returned.
//
//go:uintptrescapes
func allThreads(trap, a1, a2, a3 uintptr) (uintptr, error) {
	r, _, errno := syscall.AllThreadsSyscall(trap, a1, a2, a3)
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}
