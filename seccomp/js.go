package seccomp

import "syscall"

// Numbers that the tables use. They are the same on x86-64 and arm64, the two
// architectures that have tables (linux/mman.h, asm-generic/mman-common.h,
// linux/sched.h, linux/futex.h, linux/fcntl.h, linux/prctl.h).
const (
	protRead  = 0x1
	protWrite = 0x2

	mapPrivate        = 0x02
	mapDroppable      = 0x08
	mapFixed          = 0x10
	mapAnonymous      = 0x20
	mapNoReserve      = 0x4000
	mapFixedNoReplace = 0x100000

	madvDontNeed   = 4
	madvFree       = 8
	madvHugePage   = 14
	madvNoHugePage = 15
	madvCollapse   = 25

	futexWaitPrivate = 0 | 128
	futexWakePrivate = 1 | 128

	// What the Go runtime makes a thread with: CLONE_VM, CLONE_FS, CLONE_FILES,
	// CLONE_SIGHAND, CLONE_THREAD and CLONE_SYSVSEM (runtime/os_linux.go); on
	// x86-64 also CLONE_SETTLS (runtime/sys_linux_amd64.s).
	cloneGoThread = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000
	cloneSetTLS   = 0x80000

	fGetFL = 3

	prSetVMA = 0x53564d41
)

// Conditions that several rows share.
var (
	noExec   = only(2, protRead|protWrite, "prot has no bit but PROT_READ, PROT_WRITE")
	goThread = Arg{0, ^uint64(cloneSetTLS), cloneGoThread, "flags are exactly those of a Go thread, with or without CLONE_SETTLS"}
	private  = only(3, mapPrivate|mapDroppable|mapFixed|mapAnonymous|mapNoReserve|mapFixedNoReplace,
		"flags have no bit but MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_DROPPABLE")
)

// js is what Go's runtime (1.26) calls once it runs, and what the channel and
// the package need. The worker has made its poller, learnt its time zone and
// fixed its number of processors before the filter; package enter sees to it.
func js() []Rule {
	return []Rule{
		// Input and output on the descriptors that it was left.
		allow("read", "takes frames from the channel, and wake-ups of the runtime's poller from its eventfd"),
		allow("write", "sends frames, wakes the poller, and prints the text of a crash to standard error"),
		allow("recvmsg", "takes frames that bring a descriptor: the package arrives so"),
		allow("sendmsg", "sends on the channel; the only socket there is cannot be made to reach anyone but the supervisor"),
		allow("pread64", "reads the package, which is never wholly mapped"),
		allow("fstat", "learns the size of the package"),
		allow("close", "gives back the package and the channel"),
		allow("fcntl", "os.NewFile asks whether a descriptor blocks; no other command, so no locks, leases, signals or pipe sizes", is(1, fGetFL, "cmd is F_GETFL")),
		allow("epoll_pwait", "the runtime's poller waits for the channel"),
		allow("epoll_ctl", "puts the channel into the poller, or takes it out"),

		// Memory: nothing is ever executable, shared or locked.
		allow("mmap", "heap growth and the package", noExec, private),
		allow("mprotect", "the engine's arena opens reserved pages as it grows", noExec),
		allow("munmap", "gives memory back"),
		allow("madvise", "gives pages back at once", is(2, madvDontNeed, "advice is MADV_DONTNEED")),
		allow("madvise", "gives pages back when the kernel wants them", is(2, madvFree, "advice is MADV_FREE")),
		allow("madvise", "the runtime's choice of page size; MADV_MERGEABLE, a channel between processes, stays out", is(2, madvHugePage, "advice is MADV_HUGEPAGE")),
		allow("madvise", "the same", is(2, madvNoHugePage, "advice is MADV_NOHUGEPAGE")),
		allow("madvise", "the same", is(2, madvCollapse, "advice is MADV_COLLAPSE")),
		answer("prctl", syscall.EINVAL, "the runtime names its mappings, and stops at EINVAL as on a kernel that cannot", is(0, prSetVMA, "option is PR_SET_VMA")),

		// Threads of this process, and no other process.
		allow("clone", "the runtime starts a thread; no flag for a namespace or a process gets through", goThread),
		answer("clone3", syscall.ENOSYS, "its flags lie in memory where a filter cannot look; callers fall back to clone"),
		allow("futex", "a thread sleeps", is(1, futexWaitPrivate, "op is FUTEX_WAIT_PRIVATE")).first(),
		allow("futex", "a thread wakes another; priority inheritance and requeueing, where the bugs were, stay out", is(1, futexWakePrivate, "op is FUTEX_WAKE_PRIVATE")).first(),
		allow("sched_yield", "a spinning thread lets others run"),
		allow("gettid", "a new thread learns its number, to be signalled by"),
		allow("getpid", "precedes tgkill"),
		allow("tgkill", "the runtime preempts its own threads; the worker is process 1 of its namespace", is(0, 1, "tgid is 1")),
		allow("exit", "a thread ends"),
		allow("exit_group", "the worker ends"),

		// Signals to itself.
		allow("rt_sigreturn", "returns from a handler"),
		allow("rt_sigprocmask", "a new thread starts with signals blocked"),
		allow("rt_sigaction", "a crash restores the default before it repeats the signal, so that its cause is told truly"),
		allow("sigaltstack", "each thread has a stack for handlers"),
		allow("restart_syscall", "the kernel itself resumes a sleep with it after a stop or a freeze"),

		// Time and chance.
		allow("nanosleep", "the runtime's monitor sleeps between its looks"),
		allow("clock_gettime", "where the vDSO gives no time: the engine's libc does not use it"),
		allow("getrandom", "seeds, where the vDSO gives none"),
	}
}
