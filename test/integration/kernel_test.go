package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// proc is a process as proc(5) shows it. What cannot be read is found as that.
type proc int

func (p proc) text(name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p, name))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (p proc) link(name string) string {
	s, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", p, name))
	if err != nil {
		return err.Error()
	}
	return s
}

func (p proc) status(key string) string {
	_, after, _ := strings.Cut(p.text("status"), "\n"+key+":")
	line, _, _ := strings.Cut(after, "\n")
	return words(line)
}

func (p proc) count(dir string) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/%s", p, dir))
	return len(entries)
}

func (p proc) capabilities() string {
	var sets []string
	for _, set := range [][2]string{
		{"inheritable", "CapInh"}, {"permitted", "CapPrm"}, {"effective", "CapEff"}, {"bounding", "CapBnd"}, {"ambient", "CapAmb"},
	} {
		n, err := strconv.ParseUint(p.status(set[1]), 16, 64)
		if err != nil {
			return err.Error()
		}
		sets = append(sets, fmt.Sprintf("%s %x", set[0], n))
	}
	return strings.Join(sets, ", ")
}

// users is the one user id that is left in all four, and the range around it.
func (p proc) users() string {
	uids, gids := strings.Fields(p.status("Uid")), strings.Fields(p.status("Gid"))
	all := slices.Compact(append(uids, gids...))
	m := strings.Fields(p.text("uid_map"))
	if len(all) != 1 || len(m) != 3 || m[0] != "0" {
		return fmt.Sprintf("users %v, map %v", all, m)
	}
	return fmt.Sprintf("user and group %s, of %s from %s", all[0], m[2], m[1])
}

func (p proc) descriptors() string {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p))
	var all []string
	for _, e := range entries {
		target, _, _ := strings.Cut(p.link("fd/"+e.Name()), ":[")
		all = append(all, e.Name()+" "+target)
	}
	return strings.Join(all, ", ")
}

// group reads a file of the process's control group, of version 1 or 2.
func (p proc) group(controller, v1, v2 string) string {
	var paths []string
	for line := range strings.Lines(p.text("cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && slices.Contains(strings.Split(parts[1], ","), controller) {
			paths = append(paths, filepath.Join("/sys/fs/cgroup", controller, parts[2], v1))
		} else if len(parts) == 3 && parts[0] == "0" {
			paths = append(paths, filepath.Join("/sys/fs/cgroup", parts[2], v2), filepath.Join("/sys/fs/cgroup/unified", parts[2], v2))
		}
	}
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return fmt.Sprintf("nothing in %v", paths)
}

// processors is the quota in parts of its period.
func (p proc) processors() string {
	var quota, period float64
	text := p.group("cpu", "cpu.cfs_quota_us", "cpu.max")
	if !strings.Contains(text, " ") {
		text += " " + p.group("cpu", "cpu.cfs_period_us", "")
	}
	if _, err := fmt.Sscan(text, &quota, &period); err != nil {
		return text
	}
	return fmt.Sprintf("%.2f", quota/period)
}
