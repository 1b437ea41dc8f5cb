package verify

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// namespace looks whether a namespace is another than ours and the host's.
func namespace(kind string) func(*view) (want, found string, ok bool) {
	return func(v *view) (want, found string, ok bool) {
		found = v.link("ns/" + kind)
		return "its own", found, strings.HasPrefix(found, kind+":[") && !ours()[found]
	}
}

// network also looks at what is in the namespace: the loopback interface, which
// cannot be removed, and it is down, since it has no address.
func network(v *view) (want, found string, ok bool) {
	_, found, ok = namespace("net")(v)
	want = "its own, nothing in it but lo, down"
	devices := interfaces(v.text("net/dev"))
	if ok && !slices.Equal(devices, []string{"lo"}) {
		return want, fmt.Sprintf("%s with %v", found, devices), false
	}
	// There is no such file where the kernel or the host has no IPv6.
	addresses, err := os.ReadFile(v.dir + "net/if_inet6")
	if ok && err == nil && len(addresses) > 0 {
		return want, found + " with addresses", false
	}
	return want, found, ok
}

// interfaces reads the names from /proc/PID/net/dev, below two lines of heading.
func interfaces(table string) (names []string) {
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		if name, _, ok := strings.Cut(line, ":"); ok && i >= 2 {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// place is what must be mounted somewhere.
type place struct {
	kind    string   // "" is any but proc
	options []string // all of which it must have
}

// sealed is what a worker sees without anything of its own: its program, the
// root around it and an empty directory over a hidden procfs, see package
// isolate. What can be reached is read-only and honours no set-user-ID bit and
// no device.
func (v *view) sealed() (want string, places map[string]place) {
	closed := place{"", []string{"ro", "nosuid", "nodev"}}
	return "read-only, nothing in it but " + v.Program, map[string]place{"/": closed, "/dev": closed, v.Program: closed}
}

// furnished is what a native program sees.
func furnished() (want string, places map[string]place) {
	return "read-only, with its own /proc and /tmp, and a few devices", map[string]place{
		"/":     {"overlay", []string{"ro", "nosuid", "nodev"}},
		"/dev":  {"tmpfs", []string{"ro", "nosuid", "noexec"}},
		"/tmp":  {"tmpfs", []string{"nosuid", "nodev", "noexec"}},
		"/proc": {"proc", []string{"ro", "nosuid", "nodev", "noexec"}},
	}
}

// root looks at every mount.
func root(v *view) (want, found string, ok bool) {
	want, places := v.sealed()
	if v.Native != nil {
		want, places = furnished()
	}
	at := map[string]mount{} // the topmost at each place
	for _, m := range parseMounts(v.text("mountinfo")) {
		at[m.point] = m
	}
	var bad []string
	for point := range places {
		if _, ok := at[point]; !ok {
			bad = append(bad, "nothing on "+point)
		}
	}
	for point, m := range at {
		p, known := places[point]
		switch {
		case known && (m.lacks(p.options...) != nil || p.kind != "" && m.kind != p.kind || p.kind == "" && m.kind == "proc"):
			bad = append(bad, fmt.Sprintf("%s on %s without %v", m.kind, point, m.lacks(p.options...)))
		case !known && !(v.Native != nil && m.masks()):
			bad = append(bad, m.kind+" on "+point)
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return want, strings.Join(bad, ", "), false
	}
	return want, want, true
}

// masks reports whether a mount does no more than hide a file of /proc: under
// an empty directory, or under /dev/null.
func (m mount) masks() bool {
	return strings.HasPrefix(m.point, "/proc/") && m.kind == "tmpfs" && m.lacks("ro") == nil
}

// mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	point, kind string
	options     []string
}

func (m mount) lacks(options ...string) (missing []string) {
	for _, o := range options {
		if !slices.Contains(m.options, o) {
			missing = append(missing, o)
		}
	}
	return missing
}

func parseMounts(table string) (mounts []mount) {
	for line := range strings.Lines(table) {
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 6 || len(right) < 1 {
			mounts = append(mounts, mount{point: strings.TrimSpace(line), kind: "unreadable"})
			continue
		}
		mounts = append(mounts, mount{left[4], right[0], strings.Split(left[5], ",")})
	}
	return mounts
}

// descriptors looks at everything that is open. A worker has its channel and
// its standard error, nothing for input and output, what Go's runtime waits
// with, and packages: files in memory that it can only read.
func descriptors(v *view) (want, found string, ok bool) {
	want = "channel, stderr, poller, packages to read"
	entries, err := os.ReadDir(v.dir + "fd")
	if err != nil {
		return want, "unreadable: " + err.Error(), false
	}
	var bad, all []string
	for _, e := range entries {
		target := v.link("fd/" + e.Name())
		all = append(all, e.Name()+" "+kind(target))
		if !v.expected(e.Name(), target) {
			bad = append(bad, e.Name()+" "+target)
		}
	}
	if len(bad) > 0 {
		return want, "also " + strings.Join(bad, ", "), false
	}
	return want, strings.Join(all, ", "), true
}

// kind is a descriptor's target without the number of its inode.
func kind(target string) string {
	before, _, _ := strings.Cut(target, ":[")
	return before
}

// expected reports whether a worker may have target open as number.
func (v *view) expected(number, target string) bool {
	switch number {
	case "0", "1":
		return target == os.DevNull
	case "2":
		return strings.HasPrefix(target, "pipe:[")
	case "3":
		return strings.HasPrefix(target, "socket:[")
	}
	switch {
	case target == "anon_inode:[eventpoll]", target == "anon_inode:[eventfd]":
		return true
	case strings.HasPrefix(target, "/memfd:"):
		return v.readOnly(number)
	}
	return v.Native != nil && forProgram(target)
}

// forProgram reports whether process 1 may have target open for its program:
// what it talks with it by, what the program prints to, and a handle on it.
func forProgram(target string) bool {
	for _, kind := range []string{"socket:[", "pipe:[", "pidfd:[", "anon_inode:[pidfd]"} {
		if strings.HasPrefix(target, kind) {
			return true
		}
	}
	return false
}

// readOnly reads how a descriptor was opened (proc_pid_fdinfo(5)).
func (v *view) readOnly(number string) bool {
	for line := range strings.Lines(v.text("fdinfo/" + number)) {
		if flags, ok := strings.CutPrefix(line, "flags:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(flags), 8, 32)
			return err == nil && n&unix.O_ACCMODE == unix.O_RDONLY
		}
	}
	return false
}
