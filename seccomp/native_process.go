package seccomp

import (
	"slices"
	"syscall"
)

// Flags of clone that make threads and processes: the signal at the end (the
// lowest byte), CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD,
// CLONE_VFORK, CLONE_THREAD, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID,
// CLONE_CHILD_CLEARTID, CLONE_DETACHED and CLONE_CHILD_SETTID. Of the others,
// each CLONE_NEW* is a namespace, CLONE_PARENT gives a child to another parent,
// CLONE_PTRACE and CLONE_UNTRACED are for tracers.
const cloneProcess = 0xff | 0x100 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x4000 | 0x10000 | 0x40000 | 0x80000 |
	0x100000 | 0x200000 | 0x400000 | 0x1000000

// nativeProcesses: processes, threads and signals among those of its own pid
// namespace.
func nativeProcesses() []Rule {
	return slices.Concat(
		[]Rule{
			allow("clone", "processes and threads; no flag for a namespace gets through",
				only(0, cloneProcess, "flags have no bit but the signal, CLONE_VM, _FS, _FILES, _SIGHAND, _PIDFD, _VFORK, _THREAD, _SYSVSEM, _SETTLS, _PARENT_SETTID, _CHILD_CLEARTID, _DETACHED, _CHILD_SETTID")),
			answer("clone3", syscall.ENOSYS, "its flags lie in memory where a filter cannot look; callers fall back to clone").quiet(),
			answer("futex_wake", syscall.ENOSYS, "newer forms of futex, which is there").quiet(),
			answer("futex_wait", syscall.ENOSYS, "the same").quiet(),
			answer("futex_requeue", syscall.ENOSYS, "the same").quiet(),
			answer("futex_waitv", syscall.ENOSYS, "waits for several at once, for other systems' programs; callers fall back to futex").quiet(),
		},
		each("fork vfork execve execveat", "processes; only files of the root can be executed"),
		each("exit exit_group wait4 waitid", "their end"),
		each("set_tid_address set_robust_list rseq gettid futex sched_yield", "threads"),
		each("kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo", "signals within the pid namespace"),
		each("pidfd_open pidfd_send_signal", "the same, to a process that cannot be mistaken"),
		each("rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause restart_syscall", "takes signals"),
		each("getpid getppid getpgrp getpgid setpgid getsid setsid", "sessions and groups of processes, as shells make them"),
		each("getpriority setpriority", "may lower itself; the limit forbids to raise"),
		each("sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_getattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval ioprio_get getcpu",
			"asks how it is scheduled, and chooses among the processors that its cgroup has"),
		anyOf("sched_setscheduler", "no real time", 1, "policy", []value{{0, "SCHED_OTHER"}, {3, "SCHED_BATCH"}, {5, "SCHED_IDLE"}}),
	)
}

// nativeSelf: what a process is and may.
func nativeSelf() []Rule {
	return slices.Concat(
		each("getuid geteuid getgid getegid getresuid getresgid getgroups capget", "asks who it is"),
		each("setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset",
			"programs give up what they do not have; there is one user here and no capability, so that there is nothing else to become"),
		each("getrlimit setrlimit getrusage times sysinfo uname", "limits, which can only be lowered, and usage"),
		[]Rule{
			allow("prlimit64", "its own limits", is32(0, 0, "pid is 0")),
			allow("prlimit64", "looks at another's; process 1 has the same user, and must keep its own", is(2, 0, "new_limit is NULL")),
			allow("personality", "asks for it", is32(0, 0xffffffff, "persona is 0xffffffff")),
			allow("personality", "sets Linux's own; no other makes pages executable or addresses predictable", is32(0, 0, "persona is 0")),
		},
		each("landlock_create_ruleset landlock_add_rule landlock_restrict_self", "a program may take away from itself what it has"),
		[]Rule{
			allow("seccomp", "the same; the worker above it takes a narrower filter by it, too. A listener, which another process would have to serve, stays out",
				is32(0, 1, "operation is SECCOMP_SET_MODE_FILTER"), without(1, low32&^0x13, "flags have no bit but SECCOMP_FILTER_FLAG_TSYNC, _LOG, _TSYNC_ESRCH")),
			allow("seccomp", "asks what the kernel has", is32(0, 2, "operation is SECCOMP_GET_ACTION_AVAIL")),
		},
		processOptions(),
		threadRegisters(),
	)
}

// processOptions are those of prctl (linux/prctl.h): what a process says of
// itself, asks, or takes away from itself.
func processOptions() []Rule {
	return slices.Concat(
		anyOf("prctl", "names, and what happens to it when others end", 0, "option", []value{
			{15, "PR_SET_NAME"}, {16, "PR_GET_NAME"}, {1, "PR_SET_PDEATHSIG"}, {2, "PR_GET_PDEATHSIG"},
			{36, "PR_SET_CHILD_SUBREAPER"}, {37, "PR_GET_CHILD_SUBREAPER"},
			{29, "PR_SET_TIMERSLACK"}, {30, "PR_GET_TIMERSLACK"}, {41, "PR_SET_THP_DISABLE"}, {42, "PR_GET_THP_DISABLE"},
		}),
		anyOf("prctl", "takes away from itself", 0, "option", []value{
			{38, "PR_SET_NO_NEW_PRIVS"}, {4, "PR_SET_DUMPABLE"}, {65, "PR_SET_MDWE"},
		}),
		anyOf("prctl", "asks", 0, "option", []value{
			{3, "PR_GET_DUMPABLE"}, {7, "PR_GET_KEEPCAPS"}, {21, "PR_GET_SECCOMP"}, {23, "PR_CAPBSET_READ"}, {27, "PR_GET_SECUREBITS"},
			{39, "PR_GET_NO_NEW_PRIVS"}, {40, "PR_GET_TID_ADDRESS"}, {52, "PR_GET_SPECULATION_CTRL"}, {66, "PR_GET_MDWE"}, {0x41555856, "PR_GET_AUXV"},
		}),
		[]Rule{
			allow("prctl", "asks", is32(0, 47, "option is PR_CAP_AMBIENT"), is(1, 1, "arg2 is PR_CAP_AMBIENT_IS_SET")),
			answer("prctl", syscall.EINVAL, "names its mappings, at a cost in kernel memory; libraries stop at EINVAL as on a kernel that cannot", is32(0, prSetVMA, "option is PR_SET_VMA")).quiet(),
			answer("prctl", syscall.EINVAL, "allows a tracer; there are none here", is32(0, 0x59616d61, "option is PR_SET_PTRACER")).quiet(),
		},
	)
}

// threadRegisters are those of arch_prctl (asm/prctl.h), which x86-64 alone has.
func threadRegisters() []Rule {
	return slices.Concat(
		anyOf("arch_prctl", "where a thread's own data is", 0, "op", []value{
			{0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"}, {0x1004, "ARCH_GET_GS"},
		}),
		[]Rule{
			answer("arch_prctl", syscall.EINVAL, "glibc asks for shadow stacks at every start", is32(0, 0x3001, "op is ARCH_CET_STATUS")).quiet(),
			answer("arch_prctl", syscall.EINVAL, "the same, newer", is32(0, 0x5001, "op is ARCH_SHSTK_ENABLE")).quiet(),
			answer("arch_prctl", syscall.EINVAL, "the same", is32(0, 0x5005, "op is ARCH_SHSTK_STATUS")).quiet(),
		},
	)
}
