package verify

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// users looks at all four user and group ids (real, effective, saved, file
// system), at the supplementary groups, and at the map of the user namespace.
func users(v *view) (want, found string, ok bool) {
	ids := strings.Repeat(fmt.Sprint(v.UID)+" ", 4)
	want = fmt.Sprintf("user and group %d, of %d from %d", v.UID, v.UIDCount, v.UIDBase)
	uid, gid := fields(v.status["Uid"]), fields(v.status["Gid"])
	umap, gmap := fields(v.text("uid_map")), fields(v.text("gid_map"))
	mapped := fmt.Sprintf("0 %d %d", v.UIDBase, v.UIDCount)
	groups := fields(v.status["Groups"])
	if uid+" " == ids && gid+" " == ids && umap == mapped && gmap == mapped && groups == "" {
		return want, want, true
	}
	return want, fmt.Sprintf("users %s, groups %s, more groups %q, maps %q and %q", uid, gid, groups, umap, gmap), false
}

// fields puts single blanks between words.
func fields(s string) string { return strings.Join(strings.Fields(s), " ") }

// capSets are the five sets by their keys in /proc/PID/status, each a
// hexadecimal number.
var capSets = []struct{ key, name string }{
	{"CapInh", "inheritable"}, {"CapPrm", "permitted"}, {"CapEff", "effective"}, {"CapBnd", "bounding"}, {"CapAmb", "ambient"},
}

// userOf holds one process to the worker's user and group id.
func userOf(v *view, status map[string]string) (found string, ok bool) {
	ids := strings.TrimSpace(strings.Repeat(fmt.Sprint(v.UID)+" ", 4))
	uid, gid, groups := fields(status["Uid"]), fields(status["Gid"]), fields(status["Groups"])
	return fmt.Sprintf("users %s, groups %s, more groups %q", uid, gid, groups), uid == ids && gid == ids && groups == ""
}

// capabilitiesOf holds one process to no capability.
func capabilitiesOf(_ *view, status map[string]string) (found string, ok bool) {
	ok = true
	for _, set := range capSets {
		n, err := strconv.ParseUint(status[set.key], 16, 64)
		ok = ok && err == nil && n == 0
		found += set.name + " " + status[set.key] + " "
	}
	return strings.TrimSpace(found), ok
}

func capabilities(v *view) (want, found string, ok bool) {
	ok = true
	for _, set := range capSets {
		value, same := v.every(set.key)
		n, err := strconv.ParseUint(value, 16, 64)
		if ok = ok && same && err == nil && n == 0; err == nil {
			value = strconv.FormatUint(n, 16)
		}
		found += set.name + " " + value + ", "
	}
	return "none in any of five sets, on every thread", fmt.Sprintf("%son %d threads", found, len(v.tasks)), ok
}

func noNewPrivs(v *view) (want, found string, ok bool) {
	value, same := v.every("NoNewPrivs")
	return "1 on every thread", fmt.Sprintf("%s on %d threads", value, len(v.tasks)), same && value == "1"
}

func noNewPrivsOf(_ *view, status map[string]string) (found string, ok bool) {
	return status["NoNewPrivs"], status["NoNewPrivs"] == "1"
}

// seccompOf holds one process to a filter, and to no fewer than process 1 was
// started with.
func seccompOf(_ *view, status map[string]string) (found string, ok bool) {
	n, err := strconv.Atoi(status["Seccomp_filters"])
	return fmt.Sprintf("mode %s, %s filters", status["Seccomp"], status["Seccomp_filters"]), status["Seccomp"] == "2" && err == nil && n >= 1
}

// filter looks at what is in force, and says so if it was asked to refuse nothing.
func filter(v *view) (want, found string, ok bool) {
	want, found, ok = everyone(seccomp, seccompOf)(v)
	if v.Learn {
		want = "filter on every thread that records and refuses nothing, as was asked for"
		found += "; it records and refuses nothing"
	}
	return want, found, ok
}

// seccomp looks for mode 2 (filter) and the number of filters (since Linux 5.9).
func seccomp(v *view) (want, found string, ok bool) {
	mode, sameMode := v.every("Seccomp")
	filters, sameFilters := v.every("Seccomp_filters")
	n, err := strconv.Atoi(filters)
	ok = sameMode && sameFilters && mode == "2" && err == nil && n >= 1
	return "filter on every thread", fmt.Sprintf("mode %s, %s filters, on %d threads", mode, filters, len(v.tasks)), ok
}

// keyring is another of which nothing is shown: the launcher's inner half
// leaves the session's keyring before it can execute the worker's program.
func keyring(v *view) (want, found string, ok bool) {
	want = "an empty one of its own"
	if exe := v.link("exe"); !v.executes(exe) {
		return want, fmt.Sprintf("not shown by the kernel, and the program is %s, not %s", exe, v.Program), false
	}
	return want, "joined before the program was executed, which it is; not shown by the kernel", true
}

// executes reports whether the process executes the worker's program, by its
// name inside or, where it has none, by its inode.
func (v *view) executes(exe string) bool {
	if v.Native == nil {
		return exe == v.Program
	}
	got, err := os.Stat(v.dir + "exe")
	want, werr := v.Native.Binary.Stat()
	return err == nil && werr == nil && os.SameFile(got, want)
}

// dumpable looks at who owns the process's files in /proc: the user that it
// runs as if it can be dumped or traced, else root of its user namespace
// (proc(5)).
func dumpable(v *view) (want, found string, ok bool) {
	want = "no"
	info, err := os.Stat(v.dir + "environ")
	if err != nil {
		return want, "unreadable: " + err.Error(), false
	}
	owner := fmt.Sprint(info.Sys().(*syscall.Stat_t).Uid)
	if slices.Contains(strings.Fields(v.status["Uid"]), owner) {
		return want, "yes: its files in /proc are its own", false
	}
	return want, "no", true
}
