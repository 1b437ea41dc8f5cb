package cgroup

import (
	"errors"
	"os"
	"strings"
)

// swapCounted reports whether version 1 counts swap. A kernel that does not is
// safe only if there is no swap.
func (g *Group) swapCounted() (bool, error) {
	if exists(g.dirs["memory"], "memory.memsw.limit_in_bytes") {
		return true, nil
	}
	swaps, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return false, err
	}
	if strings.Count(string(swaps), "\n") > 1 { // the first line is a heading
		return false, errors.New("this host swaps but does not count swap: boot with swapaccount=1, or swapoff -a")
	}
	return false, nil
}
