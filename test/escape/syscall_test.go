package escape

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// lastSyscall is the highest number that is tried.
const lastSyscall = 470

// name names a native system call, or gives a text that is in no table.
func name(nr int) string {
	return compile.Name(map[string]uint32{"amd64": compile.AuditX86_64, "arm64": compile.AuditAArch64}[runtime.GOARCH], nr)
}

// numbered asks for a system call with arguments.
func numbered(entry string, nr int, args [6]uint64) attack.Request {
	return attack.Request{Attack: entry, Args: append([]uint64{uint64(nr)}, args[:]...)}
}

// checkDecision compares an outcome with the action of the table. An allowed
// call may return anything, even end the process, but not by the filter.
func checkDecision(t *testing.T, r attack.Request, o attack.Outcome, want seccomp.Action) {
	t.Helper()
	killed := o.Signal == unix.SIGSYS
	switch errno, isErrno := want.Errno(); {
	case want == seccomp.Allow && killed:
		t.Errorf("%s %s %#x: killed, the table allows it", r.Attack, name(int(r.Args[0])), r.Args)
	case isErrno && o.Errno != errno:
		t.Errorf("%s %s %#x: %v, the table answers %v", r.Attack, name(int(r.Args[0])), r.Args, o, errno)
	case want == seccomp.KillProcess && !killed:
		t.Errorf("%s %s %#x: %v, the table kills", r.Attack, name(int(r.Args[0])), r.Args, o)
	}
}

// everyNumber tries every number by every entry, with zeros for arguments.
func everyNumber(t *testing.T, s *session, role seccomp.Role) {
	rules, err := seccomp.Table(role)
	if err != nil {
		t.Fatal(err)
	}
	killed, let := 0, 0
	for nr := range lastSyscall + 1 {
		r := numbered(attack.Native, nr, [6]uint64{})
		want := seccomp.Decide(role, rules, name(nr), [6]uint64{})
		o := s.try(r)
		if answer, ok := unfiltered[nr]; ok && runtime.GOARCH == "amd64" && o.String() == answer {
			continue
		}
		checkDecision(t, r, o, want)
		if want == seccomp.Allow {
			let++
		} else {
			killed++
		}
		for _, entry := range otherEntries() {
			r := numbered(entry, nr, [6]uint64{})
			checkDecision(t, r, s.try(r), seccomp.KillProcess)
		}
	}
	if let == 0 || killed == 0 {
		t.Errorf("%d numbers were let through and %d were not", let, killed)
	}
}

// unfiltered are numbers that newer kernels on x86-64 answer before they look
// at any filter: uretprobe and uprobe, which work from the kernel's own page of
// a probed process alone. Called from elsewhere the one is an illegal
// instruction, at which a Go program exits, and the other an error.
var unfiltered = map[int]string{335: "exited", 336: "ENXIO"}

// otherEntries are the ways into the kernel besides the native one.
func otherEntries() []string {
	if runtime.GOARCH == "amd64" {
		return []string{attack.Entry32, attack.EntryX}
	}
	return nil
}

// everyCondition tries the arguments beside those that the table allows.
func everyCondition(t *testing.T, s *session, role seccomp.Role) {
	rules, err := seccomp.Table(role)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, r := range rules {
		for _, args := range beside(r) {
			if seccomp.Decide(role, rules, r.Syscall, args) == seccomp.Allow {
				continue // another row's arguments
			}
			nr := number(r.Syscall)
			request := numbered(attack.Native, nr, args)
			checkDecision(t, request, s.try(request), seccomp.Decide(role, rules, r.Syscall, args))
			tried++
		}
	}
	if tried < len(rules) {
		t.Errorf("only %d argument lists were tried", tried)
	}
}

// beside gives the arguments that a row wants, and each of them with one bit
// turned over, those at the ends of a register and those that mean something.
func beside(r seccomp.Rule) (all [][6]uint64) {
	var wanted [6]uint64
	for _, a := range r.Args {
		wanted[a.Index] = a.Value
	}
	if r.Action != seccomp.Allow {
		all = append(all, wanted)
	}
	for _, a := range r.Args {
		for _, bit := range []int{0, 1, 2, 7, 8, 12, 17, 27, 28, 29, 30, 31, 32, 63} {
			args := wanted
			args[a.Index] ^= 1 << bit
			all = append(all, args)
		}
	}
	return all
}

// number is the inverse of name.
func number(syscall string) int {
	for nr := range lastSyscall + 1 {
		if name(nr) == syscall {
			return nr
		}
	}
	return -1
}

// interfaces are the system calls by which others have got out. With zeros for
// arguments they do no harm, and tell whether the kernel was reached. Those
// that would make a second process of the attacker are not among them.
var interfaces = strings.Fields(`
	mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount mount_setattr
	unshare setns execve execveat
	kill tkill ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd pidfd_send_signal
	openat openat2 open_by_handle_at name_to_handle_at memfd_create memfd_secret symlinkat mknodat
	bpf io_uring_setup io_uring_register userfaultfd perf_event_open
	keyctl add_key request_key
	init_module finit_module delete_module kexec_load kexec_file_load
	socket socketpair connect bind
	prctl landlock_create_ruleset capset setuid
	quotactl syslog swapon acct iopl ioperm modify_ldt
	mq_open shmget semget msgget
	sched_setscheduler prlimit64 setpriority
	ioctl dup2 pipe2 inotify_init1 fanotify_init timerfd_create signalfd4 eventfd2
`)

// interfaceArgs are for those that would do something with zeros: ptrace would
// have the attacker traced; with these it lets go of a process that is none.
var interfaceArgs = map[string][6]uint64{"ptrace": {unix.PTRACE_DETACH}}

// interfacesAreThere is the control of everyNumber: without the filter the
// same calls reach the kernel, which answers them, by all entries.
func interfacesAreThere(t *testing.T, s *session) {
	for _, call := range interfaces {
		nr := number(call)
		if nr < 0 {
			continue // x86 alone has it
		}
		r := numbered(attack.Native, nr, interfaceArgs[call])
		if o := s.try(r); o.Signal != unix.SIGSYS {
			t.Errorf("%s: %v, want SIGSYS", call, o)
		}
		if o := s.try(r, lock.Seccomp); o.Signal == unix.SIGSYS {
			t.Errorf("%s without the filter: %v", call, o)
		}
	}
	for _, entry := range otherEntries() {
		const getpid32, getpid64 = 20, 39
		nr := map[string]int{attack.Entry32: getpid32, attack.EntryX: getpid64}[entry]
		if o := s.try(numbered(entry, nr, [6]uint64{}), lock.Seccomp); o.Signal == unix.SIGSYS {
			t.Errorf("%s entry without the filter: %v", entry, o)
		}
	}
}

// everySocket tries each family and type, and a pair.
func everySocket(t *testing.T, s *session) {
	for family := range uint64(attack.Families) {
		for _, kind := range attack.SocketTypes {
			r := numbered(attack.Native, unix.SYS_SOCKET, [6]uint64{family, uint64(kind)})
			if o := s.try(r); o.Signal != unix.SIGSYS {
				t.Errorf("socket family %d type %d: %v", family, kind, o)
			}
		}
	}
	made := strings.Fields(s.try(attack.Request{Attack: attack.Sockets}, lock.Seccomp).Note)
	if !slices.Contains(made, "1/1") || !slices.Contains(made, "2/1") {
		t.Errorf("without the filter only these sockets could be made: %v", made)
	}
	t.Logf("without the filter these sockets (family/type) can be made: %v", made)
}

func TestPlainSystemCalls(t *testing.T) {
	s := newSession(t, func(t *testing.T, sp spec) { plain(t, sp, nil) })
	t.Run("number", func(t *testing.T) { everyNumber(t, s, seccomp.RoleJS) })
	t.Run("condition", func(t *testing.T) { everyCondition(t, s, seccomp.RoleJS) })
	t.Run("interface", func(t *testing.T) { interfacesAreThere(t, s) })
	t.Run("socket", func(t *testing.T) { everySocket(t, s) })
}
