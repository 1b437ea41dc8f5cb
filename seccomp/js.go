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
var js = []Rule{
	// Input and output on the descriptors that it was left.
	{"read", nil, Allow, "takes frames from the channel, and wake-ups of the runtime's poller from its eventfd", false},
	{"write", nil, Allow, "sends frames, wakes the poller, and prints the text of a crash to standard error", false},
	{"recvmsg", nil, Allow, "takes frames that bring a descriptor: the package arrives so", false},
	{"sendmsg", nil, Allow, "sends on the channel; the only socket there is cannot be made to reach anyone but the supervisor", false},
	{"pread64", nil, Allow, "reads the package, which is never wholly mapped", false},
	{"fstat", nil, Allow, "learns the size of the package", false},
	{"close", nil, Allow, "gives back the package and the channel", false},
	{"fcntl", []Arg{is(1, fGetFL, "cmd is F_GETFL")}, Allow, "os.NewFile asks whether a descriptor blocks; no other command, so no locks, leases, signals or pipe sizes", false},
	{"epoll_pwait", nil, Allow, "the runtime's poller waits for the channel", false},
	{"epoll_ctl", nil, Allow, "puts the channel into the poller, or takes it out", false},

	// Memory: nothing is ever executable, shared or locked.
	{"mmap", []Arg{noExec, private}, Allow, "heap growth and the package", false},
	{"mprotect", []Arg{noExec}, Allow, "the engine's arena opens reserved pages as it grows", false},
	{"munmap", nil, Allow, "gives memory back", false},
	{"madvise", []Arg{is(2, madvDontNeed, "advice is MADV_DONTNEED")}, Allow, "gives pages back at once", false},
	{"madvise", []Arg{is(2, madvFree, "advice is MADV_FREE")}, Allow, "gives pages back when the kernel wants them", false},
	{"madvise", []Arg{is(2, madvHugePage, "advice is MADV_HUGEPAGE")}, Allow, "the runtime's choice of page size; MADV_MERGEABLE, a channel between processes, stays out", false},
	{"madvise", []Arg{is(2, madvNoHugePage, "advice is MADV_NOHUGEPAGE")}, Allow, "the same", false},
	{"madvise", []Arg{is(2, madvCollapse, "advice is MADV_COLLAPSE")}, Allow, "the same", false},
	{"prctl", []Arg{is(0, prSetVMA, "option is PR_SET_VMA")}, Errno(syscall.EINVAL), "the runtime names its mappings, and stops at EINVAL as on a kernel that cannot", false},

	// Threads of this process, and no other process.
	{"clone", []Arg{goThread}, Allow, "the runtime starts a thread; no flag for a namespace or a process gets through", false},
	{"clone3", nil, Errno(syscall.ENOSYS), "its flags lie in memory where a filter cannot look; callers fall back to clone", false},
	{"futex", []Arg{is(1, futexWaitPrivate, "op is FUTEX_WAIT_PRIVATE")}, Allow, "a thread sleeps", true},
	{"futex", []Arg{is(1, futexWakePrivate, "op is FUTEX_WAKE_PRIVATE")}, Allow, "a thread wakes another; priority inheritance and requeueing, where the bugs were, stay out", true},
	{"sched_yield", nil, Allow, "a spinning thread lets others run", false},
	{"gettid", nil, Allow, "a new thread learns its number, to be signalled by", false},
	{"getpid", nil, Allow, "precedes tgkill", false},
	{"tgkill", []Arg{is(0, 1, "tgid is 1")}, Allow, "the runtime preempts its own threads; the worker is process 1 of its namespace", false},
	{"exit", nil, Allow, "a thread ends", false},
	{"exit_group", nil, Allow, "the worker ends", false},

	// Signals to itself.
	{"rt_sigreturn", nil, Allow, "returns from a handler", false},
	{"rt_sigprocmask", nil, Allow, "a new thread starts with signals blocked", false},
	{"rt_sigaction", nil, Allow, "a crash restores the default before it repeats the signal, so that its cause is told truly", false},
	{"sigaltstack", nil, Allow, "each thread has a stack for handlers", false},
	{"restart_syscall", nil, Allow, "the kernel itself resumes a sleep with it after a stop or a freeze", false},

	// Time and chance.
	{"nanosleep", nil, Allow, "the runtime's monitor sleeps between its looks", false},
	{"clock_gettime", nil, Allow, "where the vDSO gives no time: the engine's libc does not use it", false},
	{"getrandom", nil, Allow, "seeds, where the vDSO gives none", false},
}
