package seccomp

import "syscall"

// pid1 is what process 1 of a native program calls once it has forked the
// program: Go's runtime as for js, and then descriptors, signals and children.
// It opens nothing, executes nothing and makes no process any more. Its filter
// comes on top of the program's, which it is under as well.
func pid1() []Rule {
	return []Rule{
		// Input and output on the descriptors that it has.
		allow("read", "takes bytes from the channel, the program's pipes and the poller's eventfd"),
		allow("write", "passes them on, wakes the poller, and prints the text of a crash to standard error"),
		allow("readv", "the same in several pieces"),
		allow("writev", "the same"),
		allow("recvmsg", "takes frames that bring a descriptor"),
		allow("sendmsg", "sends on the channel; the only sockets are the channel and the pair shared with the program"),
		allow("recvfrom", "the same, by the name that Go's syscall package has for it"),
		allow("sendto", "the same"),
		allow("shutdown", "tells the program that the host says no more"),
		allow("pread64", "reads its own filter, which lies in a memory file"),
		allow("fstat", "os.NewFile asks what a descriptor is"),
		allow("close", "gives back what it no longer needs"),
		allow("fcntl", "os.NewFile asks whether a descriptor blocks", is32(1, fGetFL, "cmd is F_GETFL")),
		allow("fcntl", "a descriptor goes into the poller", is32(1, fSetFL, "cmd is F_SETFL")),
		allow("fcntl", "it is closed on exec", is32(1, fGetFD, "cmd is F_GETFD")),
		allow("fcntl", "the same", is32(1, fSetFD, "cmd is F_SETFD")),
		allow("fcntl", "a second one for the same pipe", is32(1, fDupFDCloexec, "cmd is F_DUPFD_CLOEXEC")),
		allow("epoll_pwait", "the runtime's poller waits for the channel and the pipes"),
		allow("epoll_ctl", "puts a descriptor into the poller, or takes it out"),

		// Memory: nothing is ever executable, shared or locked.
		allow("mmap", "heap growth", noExec, private),
		allow("mprotect", "the runtime opens reserved pages", noExec),
		allow("munmap", "gives memory back"),
		allow("madvise", "gives pages back at once", is(2, madvDontNeed, "advice is MADV_DONTNEED")),
		allow("madvise", "gives pages back when the kernel wants them", is(2, madvFree, "advice is MADV_FREE")),
		allow("madvise", "the runtime's choice of page size", is(2, madvHugePage, "advice is MADV_HUGEPAGE")),
		allow("madvise", "the same", is(2, madvNoHugePage, "advice is MADV_NOHUGEPAGE")),
		allow("madvise", "the same", is(2, madvCollapse, "advice is MADV_COLLAPSE")),
		answer("prctl", syscall.EINVAL, "the runtime names its mappings, and stops at EINVAL as on a kernel that cannot", is32(0, prSetVMA, "option is PR_SET_VMA")),

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
		allow("exit_group", "the worker ends, and the kernel ends everything in its namespace"),

		// Children.
		allow("wait4", "reaps the program, and what it left behind"),
		allow("waitid", "the same"),
		allow("kill", "passes signals on to the program; the pid namespace has nobody else"),
		allow("pidfd_send_signal", "the same, to a process that cannot be mistaken"),

		// Signals to itself.
		allow("rt_sigreturn", "returns from a handler"),
		allow("rt_sigprocmask", "a new thread starts with signals blocked"),
		allow("rt_sigaction", "signals are taken, ignored and passed on"),
		allow("sigaltstack", "each thread has a stack for handlers"),
		allow("restart_syscall", "the kernel itself resumes a sleep with it after a stop or a freeze"),

		// Time and chance.
		allow("nanosleep", "the runtime's monitor sleeps between its looks"),
		allow("clock_gettime", "where the vDSO gives no time"),
		allow("getrandom", "seeds, where the vDSO gives none"),
	}
}
