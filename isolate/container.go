package isolate

import (
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// Inside, a worker is user and group 1: root of its user namespace is nobody
// on the host either, but the kernel trusts it with more.
const workerUID = 1

// oomScore makes the kernel, when the whole host is out of memory, end workers
// before anything else of the same size. Root may raise the score anywhere;
// lowering it takes CAP_SYS_RESOURCE.
const oomScore = 500

// locked are the flags of every mount that a worker has.
const locked = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV

// container gives the settings of a worker for libcontainer.
func (l *Launcher) container(s Spec) (*configs.Config, error) {
	score := oomScore
	uid := int64(l.conf.uid(s.Slot))
	if slices.Contains(s.Without, lock.UIDRange) {
		uid = int64(l.conf.UIDBase) // everybody's
	}
	ids := []configs.IDMap{{ContainerID: 0, HostID: uid, Size: int64(l.conf.UIDCount)}}
	conf := &configs.Config{
		Rootfs:     l.root(),
		Readonlyfs: true,
		Namespaces: configs.Namespaces{
			{Type: configs.NEWUSER}, {Type: configs.NEWNS}, {Type: configs.NEWPID}, {Type: configs.NEWNET},
			{Type: configs.NEWIPC}, {Type: configs.NEWUTS}, {Type: configs.NEWCGROUP},
		},
		UIDMappings:     ids,
		GIDMappings:     ids,
		Mounts:          l.mounts(),
		Hostname:        "worker", // the same for all: a name would tell which one it is
		Capabilities:    &configs.Capabilities{},
		NoNewPrivileges: true,
		NoNewKeyring:    true, // libcontainer's is named and joinable; package stage makes a better one
		Rlimits:         rlimits(),
		OomScoreAdj:     &score,
		// No network is configured: even the loopback interface stays down.
		// No ParentDeathSignal: it is the death of a thread that triggers it,
		// and Go's threads come and go.
		//
		// Rootless, without a path: libcontainer then accepts that it cannot
		// join the control group, which Start has joined already.
		Cgroups: &cgroups.Cgroup{Rootless: true, Resources: &cgroups.Resources{}},
	}
	if s.Native != nil {
		l.nativeContainer(conf, s)
	}
	return conf, l.omit(conf, s)
}

// mounts are what a worker's root has besides the worker's binary: a directory,
// /dev, that is empty as seen from inside.
//
// Two peculiarities of libcontainer make it so. It fills /dev with links and
// nodes unless something is bound there: so an empty directory is. And it needs
// a procfs after it has changed the root, even to set no sysctl at all; the
// kernel gives a process of a user namespace one only if its mount namespace
// has one already (mount_too_revealing in fs/namespace.c). So there is one,
// below the empty directory, where no path leads, and a worker has no way to
// unmount what covers it. It shows only the worker's own processes.
func (l *Launcher) mounts() []*configs.Mount {
	return []*configs.Mount{{
		Source: "proc", Destination: "/dev", Device: "proc", Data: "subset=pid,hidepid=ptraceable",
		Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC,
	}, {
		Source: l.empty(), Destination: "/dev", Device: "bind",
		Flags: unix.MS_BIND | unix.MS_NOEXEC | locked,
	}}
}

// rlimits are for what control groups do not count. All are hard limits.
// Limits above the launcher's own would need CAP_SYS_RESOURCE, so those win.
func rlimits() []configs.Rlimit {
	want := []configs.Rlimit{
		{Type: unix.RLIMIT_CORE, Hard: 0},          // no memory image on the host's disk
		{Type: unix.RLIMIT_FSIZE, Hard: 0},         // nothing to write to, not even files in memory
		{Type: unix.RLIMIT_NOFILE, Hard: 64},       // a dozen are used; each costs kernel memory
		{Type: unix.RLIMIT_MEMLOCK, Hard: 0},       // locked memory cannot be reclaimed
		{Type: unix.RLIMIT_MSGQUEUE, Hard: 0},      // POSIX message queues outlive their process
		{Type: unix.RLIMIT_STACK, Hard: 1 << 20},   // Go's own stacks are elsewhere
		{Type: unix.RLIMIT_SIGPENDING, Hard: 1024}, // queued signals are kernel memory
		{Type: unix.RLIMIT_NICE, Hard: 0},          // no better priority
		{Type: unix.RLIMIT_RTPRIO, Hard: 0},        // no real-time scheduling
		{Type: unix.RLIMIT_LOCKS, Hard: 0},         // no files, no locks
	}
	// Not RLIMIT_NPROC: the pids controller counts better and can be changed.
	for i := range want {
		want[i].Soft = want[i].Hard
		want[i] = lowered(want[i])
	}
	return want
}

// lowered keeps a limit within the launcher's own.
func lowered(l configs.Rlimit) configs.Rlimit {
	var own unix.Rlimit
	if unix.Getrlimit(l.Type, &own) == nil {
		l.Hard = min(l.Hard, own.Max)
		l.Soft = min(l.Soft, l.Hard)
	}
	return l
}
