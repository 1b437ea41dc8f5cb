package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

var namespaces = []feature{
	namespace(lock.UserNamespace, syscall.CLONE_NEWUSER, "CONFIG_USER_NS=y; sysctl -w user.max_user_namespaces=16384"),
	namespace(lock.PidNamespace, syscall.CLONE_NEWPID, "CONFIG_PID_NS=y; sysctl -w user.max_pid_namespaces=16384"),
	namespace(lock.MountNamespace, syscall.CLONE_NEWNS, "CONFIG_NAMESPACES=y; sysctl -w user.max_mnt_namespaces=16384"),
	namespace(lock.NetworkNamespace, syscall.CLONE_NEWNET, "CONFIG_NET_NS=y; sysctl -w user.max_net_namespaces=16384"),
	namespace(lock.IPCNamespace, syscall.CLONE_NEWIPC, "CONFIG_IPC_NS=y; sysctl -w user.max_ipc_namespaces=16384"),
	namespace(lock.UTSNamespace, syscall.CLONE_NEWUTS, "CONFIG_UTS_NS=y; sysctl -w user.max_uts_namespaces=16384"),
	namespace(lock.CgroupNamespace, syscall.CLONE_NEWCGROUP, "CONFIG_CGROUPS=y; sysctl -w user.max_cgroup_namespaces=16384"),
	{"namespaces", string(lock.UIDRange), false, keeps(lock.UIDRange),
		"choose another uid_base in the configuration, above every number in /etc/passwd, /etc/group, /etc/subuid and /etc/subgid", tryUIDRange},
}

// keeps says what a lock is for, in the words of package lock.
func keeps(name lock.Name) string {
	info, _ := lock.Lookup(name) // a name that does not exist would show in the test of the table
	return "keeps a worker from " + info.Stops
}

func namespace(name lock.Name, flag uintptr, get string) feature {
	return feature{"namespaces", string(name), false, keeps(name), get, func(ctx context.Context, o Options) finding {
		err := inChild(ctx, o, "nothing", attrFor(flag))
		if err != nil && os.Geteuid() != 0 && errors.Is(err, syscall.EPERM) {
			return onlyRoot()
		}
		return result(err, "can be made")
	}}
}

// attrFor asks for a namespace. Whoever is not root gets a user namespace
// around it, where the kernel lets everybody make one.
func attrFor(flag uintptr) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: flag}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	if attr.Cloneflags&syscall.CLONE_NEWUSER != 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// tryUIDRange looks for others who hold numbers of the workers' range, and
// then maps the whole of it into a user namespace.
func tryUIDRange(ctx context.Context, o Options) finding {
	first, last := uint64(o.UIDBase), uint64(o.UIDBase)+uint64(o.UIDs)-1
	for _, file := range assigned {
		text, err := os.ReadFile(file.name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return absent(err.Error())
		}
		if who := holder(string(text), file.first, file.count, first, last); who != "" {
			return absent(fmt.Sprintf("%s gives numbers from %d to %d to %s", file.name, first, last, who))
		}
	}
	if os.Geteuid() != 0 {
		return onlyRoot()
	}
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: int(o.UIDBase), Size: int(o.UIDs)}}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all}
	return result(inChild(ctx, o, "nothing", attr), fmt.Sprintf("%d to %d", first, last))
}

// assigned are the files that give numbers away, and where a line has them.
var assigned = []struct {
	name         string
	first, count int // fields; count 0: one number
}{
	{"/etc/passwd", 2, 0}, {"/etc/group", 2, 0}, {"/etc/subuid", 1, 2}, {"/etc/subgid", 1, 2},
}

// holder names the first line that has numbers between first and last.
func holder(text string, firstField, countField int, first, last uint64) string {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		from, err := strconv.ParseUint(at(fields, firstField), 10, 64)
		if err != nil {
			continue // a comment, or a NIS line
		}
		to := from
		if countField > 0 {
			count, err := strconv.ParseUint(at(fields, countField), 10, 64)
			if err != nil || count == 0 {
				continue
			}
			to = from + count - 1
		}
		if from <= last && to >= first {
			return fields[0]
		}
	}
	return ""
}

func at(fields []string, i int) string {
	if i >= len(fields) {
		return ""
	}
	return fields[i]
}
