package seccomp

import "slices"

// Narrow gives the rows that a role keeps where a program is to make only some
// calls, by name. It never adds: a name that the rows do not have means nothing.
//
// These rows stay whatever only says: those that refuse, so that what was
// refused still is, and by the same error; those of the calls of RoleInit, since
// process 1 is under the same filters; and those by which a program is started
// (see starting). No names at all narrow nothing.
func Narrow(rules []Rule, only []string) []Rule {
	if len(only) == 0 {
		return slices.Clone(rules)
	}
	needed := slices.Concat(only, starting)
	for _, r := range pid1() {
		if r.Action == Allow {
			needed = append(needed, r.Syscall)
		}
	}
	var kept []Rule
	for _, r := range rules {
		if r.Action != Allow || slices.Contains(needed, r.Syscall) {
			kept = append(kept, r)
		}
	}
	return kept
}

// starting are the calls, besides those of RoleInit, by which process 1 forks
// the program and takes its own filter, and by which any process begins: a
// dynamic one is loaded by a program that opens and reads its libraries.
var starting = []string{
	"pipe2", "socketpair", "dup3", "setsid", "setpgid", "ioctl", "chdir", "umask", "close_range", "seccomp", "execve", "eventfd2", "epoll_create1",
	"brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "sched_getaffinity",
	"open", "openat", "access", "faccessat", "readlink", "readlinkat", "stat", "newfstatat", "lseek",
}
