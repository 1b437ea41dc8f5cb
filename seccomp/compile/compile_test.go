package compile

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	libseccomp "github.com/seccomp/libseccomp-golang"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// highest is above every system call number that Linux has given out.
const highest = 600

type target struct {
	arch  Arch
	id    libseccomp.ScmpArch
	audit uint32
}

var targets = []target{
	{AMD64, libseccomp.ArchAMD64, AuditX86_64},
	{ARM64, libseccomp.ArchARM64, AuditAArch64},
}

// Every number, with arguments on both sides of every condition, must get from
// the compiled filters together what the table says.
func TestFiltersEqualTable(t *testing.T) {
	for _, role := range seccomp.Roles() {
		for _, target := range targets {
			t.Run(fmt.Sprintf("%s/%s", role, target.arch), func(t *testing.T) {
				rules, err := seccomp.Table(role)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, mustCompile(t, role, nil, target.arch), role, rules, target)
			})
		}
	}
}

// The same of what a program's own list leaves.
func TestNarrowedFiltersEqualTable(t *testing.T) {
	whole, err := seccomp.Table(seccomp.RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	only := []string{"socket", "mknodat", "setsockopt", "mount"}
	for _, target := range targets {
		equal(t, mustCompile(t, seccomp.RoleNative, only, target.arch), seccomp.RoleNative, seccomp.Narrow(whole, only), target)
	}
}

// Nothing is forgotten: the table says of every call that has a name
// whether a program may make it, but for those that Linux has only a number
// for.
func TestNativeNamesEveryCall(t *testing.T) {
	numbersOnly := strings.Fields("afs_syscall epoll_ctl_old epoll_wait_old get_thread_area set_thread_area getpmsg putpmsg security tuxcall vserver")
	rules, err := seccomp.Table(seccomp.RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, r := range rules {
		named[r.Syscall] = true
		if !has(AMD64, r.Syscall) {
			t.Errorf("the table names %s, which x86-64 does not have", r.Syscall)
		}
	}
	for _, target := range targets {
		for nr := range firstNewer + len(newer) {
			name := lookup(target.id, nr)
			if !strings.HasPrefix(name, "syscall ") && !named[name] && !slices.Contains(numbersOnly, name) {
				t.Errorf("the table does not name %s, call %d of %s", name, nr, target.arch)
			}
		}
	}
}

func equal(t *testing.T, s stack, role seccomp.Role, rules []seccomp.Rule, target target) {
	t.Helper()
	allowed := 0
	for nr := 0; nr <= highest; nr++ {
		name := lookup(target.id, nr)
		for _, args := range samples(rules, name) {
			want := seccomp.Decide(role, rules, name, args)
			logged := s.check(t, data{nr: uint32(nr), arch: target.audit, args: args}, want)
			if tell := want != seccomp.Allow && seccomp.Logs(role) && !quiet(rules, name, want); logged != tell {
				t.Fatalf("%s of %s with %#x: told %v, want %v", name, target.arch, args, logged, tell)
			}
			if want == seccomp.Allow {
				allowed++
			}
		}
	}
	if allowed == 0 {
		t.Error("the filters allow nothing at all")
	}
}

// quiet reports whether an answer is that of a quiet row: none of those gives
// the error of a refusal.
func quiet(rules []seccomp.Rule, name string, a seccomp.Action) bool {
	for _, r := range rules {
		if r.Quiet && r.Syscall == name && r.Action == a {
			return true
		}
	}
	return false
}

// The other ways into the kernel are closed whatever the number and arguments.
func TestFiltersKillOtherEntries(t *testing.T) {
	for _, role := range seccomp.Roles() {
		rules, err := seccomp.Table(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range targets {
			s := mustCompile(t, role, nil, target.arch)
			for nr := range uint32(highest) {
				name := lookup(target.id, int(nr))
				for _, args := range samples(rules, name) {
					otherEntries(t, s, target, data{nr: nr, args: args})
				}
			}
		}
	}
}

func otherEntries(t *testing.T, s stack, target target, d data) {
	t.Helper()
	for _, arch := range []uint32{AuditX86_64, AuditI386, AuditAArch64, AuditARM, 0, ^uint32(0)} {
		if d.arch = arch; arch != target.audit {
			s.check(t, d, seccomp.KillProcess)
		}
	}
	if d.arch = target.audit; target.arch == AMD64 {
		for _, nr := range []uint32{d.nr | x32Bit, d.nr | 1<<31, d.nr | 3<<30} {
			s.check(t, data{nr, d.arch, 0, d.args}, seccomp.KillProcess)
		}
	}
}

// A call that programs make often and that no row looks at the arguments of must
// get the same answer from every filter whatever the arguments: the kernel
// remembers it, and runs no program.
func TestKernelCanRememberFrequentCalls(t *testing.T) {
	frequent := strings.Fields(`read write readv writev pread64 pwrite64 lseek close openat newfstatat statx fstat getdents64
		epoll_wait epoll_pwait poll ppoll select futex sched_yield getpid gettid getppid clock_gettime clock_nanosleep nanosleep
		rt_sigaction rt_sigprocmask rt_sigreturn recvmsg sendmsg recvfrom sendto accept4 brk munmap getrandom`)
	for _, target := range targets {
		s := mustCompile(t, seccomp.RoleNative, nil, target.arch)
		for _, name := range frequent {
			nr, err := libseccomp.GetSyscallFromNameByArch(name, target.id)
			if err != nil || nr < 0 {
				continue // x86-64 alone has it
			}
			for _, f := range s {
				if loads, action := f.trace(t, data{nr: uint32(nr), arch: target.audit}); loads || action != uint32(seccomp.Allow) {
					t.Errorf("%s on %s: a filter answers %#x, having looked at arguments: %v", name, target.arch, action, loads)
				}
			}
		}
	}
}

func TestForRefuses(t *testing.T) {
	if _, err := For("baker", nil, AMD64); err == nil {
		t.Error("a role that does not exist was compiled")
	}
	if _, err := For(seccomp.RoleJS, nil, "pdp11"); err == nil {
		t.Error("an architecture that does not exist was compiled for")
	}
	if _, err := Stack(seccomp.RoleNative, []string{"read", "flytothemoon"}); err == nil || !strings.Contains(err.Error(), "flytothemoon") {
		t.Errorf("a system call that does not exist: %v", err)
	}
}

func TestStackIsForThisMachine(t *testing.T) {
	native, err := nativeArch()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range seccomp.Roles() {
		got, err := Stack(role, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := For(role, nil, native)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Marshal(), want.Marshal()) {
			t.Errorf("%s: Stack and For differ for the native architecture", role)
		}
		parsed, err := seccomp.ParseStack(got.Marshal())
		if err != nil || !reflect.DeepEqual(parsed, got) {
			t.Errorf("%s: the stack is another when it has travelled: %v", role, err)
		}
	}
}

// The learning filter asks about everything but what cannot be asked about.
func TestLearningFilter(t *testing.T) {
	learn, err := Learn()
	if err != nil {
		t.Fatal(err)
	}
	if len(learn) != 1 || !learn[0].Listen {
		t.Fatalf("%d filters, and no listener", len(learn))
	}
	native, err := nativeArch()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if target.arch != native {
			continue
		}
		s := stack{{decode(learn[0].Program), false}}
		for nr := range uint32(highest) {
			want := seccomp.Notify
			switch name, _ := libseccomp.ScmpSyscall(nr).GetNameByArch(target.id); name {
			case "exit", "exit_group", "rt_sigreturn", "restart_syscall":
				want = seccomp.Allow
			}
			s.check(t, data{nr: nr, arch: target.audit}, want)
			otherEntries(t, s, target, data{nr: nr})
		}
	}
}

func TestName(t *testing.T) {
	tests := []struct {
		audit uint32
		nr    int
		want  string
	}{
		{AuditX86_64, 165, "mount"},
		{AuditX86_64, 435, "clone3"},
		{AuditX86_64, x32Bit | 1, "write (x32 entry)"},
		{AuditI386, 1, "exit (32-bit entry)"},
		{AuditAArch64, 40, "mount"},
		{AuditARM, 1, "exit (32-bit entry)"},
		{AuditX86_64, 451, "cachestat"},
		{AuditAArch64, 457, "statmount"},
		{AuditI386, 470, "listns (32-bit entry)"},
		{AuditX86_64, 9999, "syscall 9999"},
		{0x1234, 7, "syscall 7 of architecture 0x1234"},
	}
	for _, test := range tests {
		if got := Name(test.audit, test.nr); got != test.want {
			t.Errorf("Name(%#x, %d) = %q, want %q", test.audit, test.nr, got, test.want)
		}
	}
}

func mustCompile(t testing.TB, role seccomp.Role, only []string, arch Arch) (s stack) {
	t.Helper()
	filters, err := For(role, only, arch)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range filters {
		s = append(s, program{decode(f.Program), f.Log})
	}
	return s
}
