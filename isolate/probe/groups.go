package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

const cgroupsAt = "control groups"

var groups = []feature{
	{cgroupsAt, "layout", false, "limits on memory, tasks and processors",
		"mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd", tryLayout},
	{cgroupsAt, string(lock.MemoryLimit), false, keeps(lock.MemoryLimit),
		"CONFIG_MEMCG=y; boot with cgroup_enable=memory swapaccount=1", file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")},
	{cgroupsAt, string(lock.PidsLimit), false, keeps(lock.PidsLimit),
		"CONFIG_CGROUP_PIDS=y", file("pids", "pids.max", "pids.max")},
	{cgroupsAt, string(lock.CPULimit), false, keeps(lock.CPULimit),
		"CONFIG_CFS_BANDWIDTH=y", file("cpu", "cpu.cfs_quota_us", "cpu.max")},
	{cgroupsAt, "freeze", false, "stopping a worker as a whole, for a look or a sweep",
		"Linux 5.2; on a host with version 1 alone: mount -t cgroup2 none /sys/fs/cgroup/unified", file("", "", "cgroup.freeze")},
	{cgroupsAt, "kill", false, "ending a worker and all that it started in one step",
		"Linux 5.14; on a host with version 1 alone: mount -t cgroup2 none /sys/fs/cgroup/unified", file("", "", "cgroup.kill")},
}

// hierarchies are the cgroup mounts of a host.
type hierarchies struct {
	unified string            // mount point of version 2, or ""
	v1      map[string]string // controller → mount point
}

// Layout names the host's cgroup layout: v1, hybrid, v2, or none.
func Layout() string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "none"
	}
	defer f.Close()
	return readHierarchies(f).layout()
}

func (h hierarchies) layout() string {
	limits := h.v1["memory"] != "" || h.v1["pids"] != "" || h.v1["cpu"] != ""
	switch {
	case h.unified != "" && limits:
		return "hybrid"
	case h.unified != "":
		return "v2"
	case limits:
		return "v1"
	}
	return "none"
}

// readHierarchies reads the format of proc_pid_mountinfo(5): optional fields
// end with a dash; type, source and super options follow.
func readHierarchies(r io.Reader) hierarchies {
	h := hierarchies{v1: map[string]string{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(mount) < 5 || len(kind) < 3 {
			continue
		}
		switch kind[0] {
		case "cgroup2":
			h.unified = mount[4]
		case "cgroup":
			for _, option := range strings.Split(kind[2], ",") {
				h.v1[option] = mount[4]
			}
		}
	}
	return h
}

func mounted() (hierarchies, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return hierarchies{}, err
	}
	defer f.Close()
	return readHierarchies(f), nil
}

func tryLayout(context.Context, Options) finding {
	if l := Layout(); l != "none" {
		return there(l)
	}
	return absent("no hierarchy is mounted")
}

// file looks for a file that every group but the root has: in version 1's
// hierarchy of the controller, else in version 2's.
func file(controller, v1, v2 string) func(context.Context, Options) finding {
	return func(context.Context, Options) finding {
		h, err := mounted()
		if err != nil {
			return absent(err.Error())
		}
		if mount := h.v1[controller]; mount != "" && controller != "" {
			return inGroup(mount, v1)
		}
		return h.inUnified(controller, v2)
	}
}

// inUnified looks in version 2's hierarchy. A controller that the root group
// does not hand down is in no group, and to hand it down would change the host:
// that is the launcher's to do, and here it counts that it can.
func (h hierarchies) inUnified(controller, name string) finding {
	if h.unified == "" {
		return absent("the hierarchy is not mounted")
	}
	if controller != "" && !h.lists("cgroup.controllers", controller) {
		return absent("not in " + filepath.Join(h.unified, "cgroup.controllers"))
	}
	found := inGroup(h.unified, name)
	if !found.ok && controller != "" && !h.lists("cgroup.subtree_control", controller) {
		return there(controller + " in " + filepath.Join(h.unified, "cgroup.controllers") + ", for the launcher to turn on")
	}
	return found
}

// lists reports whether a file of the hierarchy's root names a controller.
func (h hierarchies) lists(name, controller string) bool {
	b, err := os.ReadFile(filepath.Join(h.unified, name))
	return err == nil && slices.Contains(strings.Fields(string(b)), controller)
}

// inGroup looks for the file in a group made for this and removed again. Who
// cannot make one looks into those that are there.
func inGroup(mount, name string) finding {
	dir := filepath.Join(mount, fmt.Sprintf("mpsupervisor-probe-%d", os.Getpid()))
	err := os.Mkdir(dir, 0o700)
	if os.Geteuid() != 0 && err != nil {
		return inAnyGroup(mount, name)
	}
	if err != nil {
		return absent(err.Error())
	}
	defer os.Remove(dir)
	if _, err = os.Stat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
		return inAnyGroup(mount, name) // version 2: not handed down to this one
	}
	return result(err, name+" in "+mount)
}

func inAnyGroup(mount, name string) finding {
	files, err := filepath.Glob(filepath.Join(mount, "*", name))
	if err != nil {
		return absent(err.Error()) // cannot happen: the pattern is well formed
	}
	if len(files) > 0 {
		return there(name + " in " + mount)
	}
	if os.Geteuid() != 0 {
		return onlyRoot()
	}
	return absent("no group in " + mount + " has " + name)
}
