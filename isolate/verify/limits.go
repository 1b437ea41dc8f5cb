package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
)

func memory(v *view) (want, found string, ok bool) {
	return v.limit(func(l cgroup.Limits) (string, bool) {
		return fmt.Sprintf("%d bytes with swap", l.Memory), l.Memory > 0
	})
}

func pids(v *view) (want, found string, ok bool) {
	return v.limit(func(l cgroup.Limits) (string, bool) {
		return fmt.Sprintf("%d tasks", l.Pids), l.Pids > 0
	})
}

func processors(v *view) (want, found string, ok bool) {
	return v.limit(func(l cgroup.Limits) (string, bool) {
		return fmt.Sprintf("%.2f processors", l.CPU), l.CPU > 0
	})
}

// limit compares one limit as the kernel has it with the one that was asked
// for.
func (v *view) limit(of func(cgroup.Limits) (string, bool)) (want, found string, ok bool) {
	want, _ = of(v.Limits)
	if v.unlimited != "" {
		return want, v.unlimited, false
	}
	found, set := of(v.limits)
	if !set {
		found = "none"
	}
	return want, found, set && found == want
}

// readLimits reads the limits of the worker's group, which bind it only if it
// is in there.
func (v *view) readLimits() {
	if v.unlimited = v.outside(); v.unlimited != "" {
		return
	}
	var err error
	if v.limits, err = v.Group.Limits(); err != nil {
		v.unlimited = "unreadable: " + err.Error()
	}
}

// outside names a hierarchy in which the worker is not in its group.
func (v *view) outside() string {
	in := map[string]string{}
	for line := range strings.Lines(v.text("cgroup")) {
		// "4:memory:/path", or "0::/path" for the unified one (cgroups(7)).
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			in[controller] = parts[2]
		}
	}
	for _, h := range v.Group.Hierarchies() {
		if !strings.HasSuffix(in[h], "/"+v.Group.Name()) {
			return fmt.Sprintf("in group %q of hierarchy %q, not in %s", in[h], h, v.Group.Name())
		}
	}
	return ""
}

// zero are the resource limits that must be 0, by their names in
// /proc/PID/limits.
var zero = []string{"Max core file size", "Max file size", "Max locked memory", "Max msgqueue size", "Max realtime priority"}

// maxFiles is the most descriptors that a worker may have.
const maxFiles = 64

// rlimits looks at process 1. A native program inherits its limits, which no
// process can raise, and may lower them.
func rlimits(v *view) (want, found string, ok bool) {
	want = "no core, file, locked memory, message queue or real time; 64 descriptors"
	zero, most := zero, int64(maxFiles)
	if v.Native != nil {
		zero = slices.DeleteFunc(slices.Clone(zero), func(name string) bool { return name == "Max file size" })
		most = v.Native.Files
		want = fmt.Sprintf("no core, locked memory, message queue or real time; %d descriptors", most)
	}
	hard := parseLimits(v.text("limits"))
	var bad []string
	for _, name := range zero {
		if hard[name] != "0" {
			bad = append(bad, name+" "+hard[name])
		}
	}
	// Fewer where the launcher itself may have no more.
	if files, err := strconv.ParseInt(hard["Max open files"], 10, 64); err != nil || files > most {
		bad = append(bad, "Max open files "+hard["Max open files"])
	}
	if len(bad) > 0 {
		return want, strings.Join(bad, ", "), false
	}
	return want, want, true
}

// parseLimits reads the hard limits: the name takes 26 columns, the soft limit
// and the hard one 21 each.
func parseLimits(table string) map[string]string {
	hard := map[string]string{}
	for line := range strings.Lines(table) {
		if len(line) < 26 {
			continue
		}
		values := strings.Fields(line[25:])
		if len(values) < 2 || slices.Contains(values, "Limit") {
			continue
		}
		hard[strings.TrimSpace(line[:25])] = values[1]
	}
	return hard
}
