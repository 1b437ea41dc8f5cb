package compile

import (
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// Learn gives the filter that asks about every system call in place of
// deciding: SECCOMP_RET_USER_NOTIF, and whoever has the listener records the
// call and lets it go on (SECCOMP_USER_NOTIF_FLAG_CONTINUE). Other entries are
// killed as ever. It is a filter for learning only, inside all other locks.
//
// The thread that installs it cannot make a further system call, not even to
// return the listener, before somebody answers: see seccomp.Filter. Any signal
// whose handler was not installed with SA_RESTART may make a call that is
// waiting to be received fail with EINTR, also one that never does otherwise.
//
// Four calls are not asked about: those that end a thread or a process, to
// which no answer could be given; rt_sigreturn, which must not be interrupted;
// and restart_syscall, which the kernel makes itself.
func Learn() (seccomp.Stack, error) {
	native, err := nativeArch()
	if err != nil {
		return nil, fmt.Errorf("cannot compile the learning filter: %w", err)
	}
	program, err := learning().compile(native)
	if err != nil {
		return nil, fmt.Errorf("cannot compile the learning filter: %w", err)
	}
	return seccomp.Stack{{Program: program, Listen: true}}, nil
}

func learning() layer {
	l := layer{otherwise: seccomp.Notify}
	for _, name := range []string{"exit", "exit_group", "rt_sigreturn", "restart_syscall"} {
		l.rules = append(l.rules, seccomp.Rule{Syscall: name, Action: seccomp.Allow})
	}
	return l
}
