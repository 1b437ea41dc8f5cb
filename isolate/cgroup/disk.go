package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// realDisks gives the host's disks as "MAJOR:MINOR", read from /sys/block,
// which has whole disks and no partitions. Left out is what keeps its data in
// memory or on another disk, where it is counted: the kernel charges what a
// loop, RAID or encrypted device reads to the disks below it.
func realDisks(sysBlock string) ([]string, error) {
	entries, err := os.ReadDir(sysBlock)
	if err != nil {
		return nil, fmt.Errorf("cannot list disks: %w", err)
	}
	var disks []string
	for _, e := range entries {
		dir := filepath.Join(sysBlock, e.Name())
		if madeUp(e.Name()) || stacked(dir) || attribute(dir, "size") == "0" {
			continue
		}
		if number := attribute(dir, "dev"); number != "" { // hidden paths of a disk have none
			disks = append(disks, number)
		}
	}
	return disks, nil
}

func madeUp(name string) bool {
	for _, prefix := range []string{"loop", "ram", "zram"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// stacked reports whether the device is made of others.
func stacked(dir string) bool {
	below, err := os.ReadDir(filepath.Join(dir, "slaves"))
	return err == nil && len(below) > 0
}

// attribute reads a file of sysfs; one that is not there is empty.
func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
