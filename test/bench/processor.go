package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// tick is the unit of times in /proc/PID/stat: sysconf(_SC_CLK_TCK) is 100 on
// every Linux that Go runs on.
const tick = 10 * time.Millisecond

// processorTime is what supervisor and launcher have used, with the children
// that they have waited for: every worker that has ended.
func processorTime(d *daemon.Daemon) time.Duration {
	return used(d.Pid()) + used(int(d.Info.LauncherPid))
}

// used adds the fields utime, stime, cutime and cstime of proc_pid_stat(5).
func used(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0
	}
	var sum time.Duration
	for _, f := range fields[11:15] {
		var ticks time.Duration
		fmt.Sscan(f, &ticks)
		sum += ticks * tick
	}
	return sum
}
