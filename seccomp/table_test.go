package seccomp

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The printed table is reviewed as text: a change of a role shows as a change
// of its golden file.
func TestExplainGolden(t *testing.T) {
	for _, role := range Roles() {
		rows, err := Explain(role)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range rows {
			fmt.Fprintf(&b, "%-16s %-13s %s\n%16s %s\n", r.Syscall, r.Action, r.Arguments, "", r.Reason)
		}
		path := filepath.Join("testdata", string(role)+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("role %q is not what %s says (go test ./seccomp -update writes it anew):\n%s", role, path, b.String())
		}
	}
}

func TestTablesAreSmallAndReasoned(t *testing.T) {
	for _, role := range Roles() {
		rules, err := Table(role)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, r := range rules {
			names[r.Syscall] = true
			if r.Reason == "" {
				t.Errorf("%s: %s has no reason", role, r.Syscall)
			}
			for _, a := range r.Args {
				if a.Text == "" || a.Index < 0 || a.Index > 5 || a.Value&^a.Mask != 0 {
					t.Errorf("%s: %s has a condition that cannot hold: %+v", role, r.Syscall, a)
				}
			}
		}
		if limit := map[Role]int{RoleJS: 60, RoleInit: 60, RoleNative: 400, RoleWasm: 60, RoleWasmRun: 60, RoleWasmCompile: 60}[role]; len(names) > limit {
			t.Errorf("%s: %d system calls, at most %d", role, len(names), limit)
		}
	}
}

// The order of rows means nothing: no two rows of one call may match the same
// arguments and do different things.
func TestRowsOfOneCallExclude(t *testing.T) {
	for _, role := range Roles() {
		rules, _ := Table(role)
		for i, a := range rules {
			for _, b := range rules[:i] {
				if a.Syscall == b.Syscall && (a.Action != b.Action || a.Quiet != b.Quiet) && !exclude(a, b) {
					t.Errorf("%s: two rows of %s can match the same arguments", role, a.Syscall)
				}
			}
		}
	}
}

// exclude reports whether some argument has bits that both rows look at and
// want different.
func exclude(a, b Rule) bool {
	for _, x := range a.Args {
		for _, y := range b.Args {
			common := x.Mask & y.Mask
			if x.Index == y.Index && x.Value&common != y.Value&common {
				return true
			}
		}
	}
	return false
}

func TestDecide(t *testing.T) {
	rules, err := Table(RoleJS)
	if err != nil {
		t.Fatal(err)
	}
	const rw, exec, anon = 0x3, 0x4, 0x22
	tests := []struct {
		call string
		args [6]uint64
		want Action
	}{
		{"read", [6]uint64{9, 9, 9}, Allow},
		{"openat", [6]uint64{}, KillProcess},
		{"", [6]uint64{}, KillProcess},
		{"mmap", [6]uint64{2: rw, 3: anon}, Allow},
		{"mmap", [6]uint64{2: rw | exec, 3: anon}, KillProcess},
		{"mmap", [6]uint64{2: rw, 3: 0x01}, KillProcess},           // MAP_SHARED
		{"mmap", [6]uint64{2: rw | 1<<32, 3: anon}, KillProcess},   // bits above those that the kernel looks at
		{"mmap", [6]uint64{2: rw, 3: anon | 0x40000}, KillProcess}, // MAP_HUGETLB
		{"mprotect", [6]uint64{2: exec}, KillProcess},
		{"madvise", [6]uint64{2: 12}, KillProcess}, // MADV_MERGEABLE
		{"clone", [6]uint64{0x50f00}, Allow},
		{"clone", [6]uint64{0xd0f00}, Allow},
		{"clone", [6]uint64{0x50f00 | 0x10000000}, KillProcess}, // CLONE_NEWUSER
		{"clone", [6]uint64{17}, KillProcess},                   // fork
		{"clone3", [6]uint64{1, 2}, Errno(syscall.ENOSYS)},
		{"prctl", [6]uint64{0x53564d41}, Errno(syscall.EINVAL)},
		{"prctl", [6]uint64{22}, KillProcess}, // PR_SET_SECCOMP
		{"tgkill", [6]uint64{1, 1, 23}, Allow},
		{"tgkill", [6]uint64{2, 2, 9}, KillProcess},
		{"fcntl", [6]uint64{0, 3}, Allow},
		{"fcntl", [6]uint64{0, 1031}, KillProcess}, // F_SETPIPE_SZ
		{"futex", [6]uint64{1: 128}, Allow},
		{"futex", [6]uint64{1: 6 | 128}, KillProcess}, // FUTEX_LOCK_PI
	}
	for _, test := range tests {
		if got := Decide(RoleJS, rules, test.call, test.args); got != test.want {
			t.Errorf("%s %#x: %v, want %v", test.call, test.args, got, test.want)
		}
	}
}

// What the table of programs is there for. Every number is held to it on the
// kernel by the tests of package compile.
func TestNativeDecides(t *testing.T) {
	rules, err := Table(RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	refused := strings.Fields(`unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
		statmount listmount ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd
		bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl
		fanotify_init open_by_handle_at name_to_handle_at kexec_load kexec_file_load init_module finit_module delete_module
		memfd_create memfd_secret shmget shmat msgget semget mq_open vmsplice tee remap_file_pages
		iopl ioperm modify_ldt uselib _sysctl quotactl swapon acct reboot sethostname settimeofday clock_settime adjtimex syslog
		vhangup lookup_dcookie nfsservctl mbind migrate_pages move_pages set_mempolicy sched_setattr ioprio_set`)
	for _, name := range refused {
		if got := Decide(RoleNative, rules, name, [6]uint64{}); got != Errno(syscall.EPERM) {
			t.Errorf("%s: %v", name, got)
		}
	}
	const high = 0x5a << 32
	tests := []struct {
		call string
		args [6]uint64
		want Action
	}{
		{"read", [6]uint64{9, 9, 9}, Allow},
		{"a call of Linux 9", [6]uint64{}, Errno(syscall.ENOSYS)},
		{"clone3", [6]uint64{}, Errno(syscall.ENOSYS)},
		{"clone", [6]uint64{17}, Allow},                                // fork
		{"clone", [6]uint64{0x3d0f00}, Allow},                          // pthread_create
		{"clone", [6]uint64{0x4111}, Allow},                            // posix_spawn: CLONE_VM, CLONE_VFORK
		{"clone", [6]uint64{17 | 0x20000}, Errno(syscall.EPERM)},       // CLONE_NEWNS
		{"clone", [6]uint64{17 | 0x02000000}, Errno(syscall.EPERM)},    // CLONE_NEWCGROUP
		{"clone", [6]uint64{17 | 0x10000000}, Errno(syscall.EPERM)},    // CLONE_NEWUSER
		{"clone", [6]uint64{17 | 0x8000}, Errno(syscall.EPERM)},        // CLONE_PARENT
		{"socket", [6]uint64{1, 1 | 0x80000}, Allow},                   // AF_UNIX, SOCK_CLOEXEC
		{"socket", [6]uint64{1, 3}, Errno(syscall.EPERM)},              // SOCK_RAW
		{"socket", [6]uint64{2, 1}, Errno(syscall.EPERM)},              // AF_INET
		{"socket", [6]uint64{2 | high, 1}, Errno(syscall.EPERM)},       // the same
		{"socket", [6]uint64{16, 3}, Errno(syscall.EPERM)},             // AF_NETLINK
		{"socket", [6]uint64{38, 5}, Errno(syscall.EPERM)},             // AF_ALG
		{"socket", [6]uint64{40, 1}, Errno(syscall.EPERM)},             // AF_VSOCK
		{"ioctl", [6]uint64{1: 0x5401}, Allow},                         // TCGETS
		{"ioctl", [6]uint64{1: 0xffffffff80045430}, Allow},             // TIOCGPTN as a negative int
		{"ioctl", [6]uint64{1: 0x5412}, Errno(syscall.EPERM)},          // TIOCSTI
		{"ioctl", [6]uint64{1: 0x5412 | high}, Errno(syscall.EPERM)},   // the same
		{"ioctl", [6]uint64{1: 0x541c | high}, Errno(syscall.EPERM)},   // TIOCLINUX
		{"ioctl", [6]uint64{1: 0x40049409}, Errno(syscall.EOPNOTSUPP)}, // FICLONE
		{"setsockopt", [6]uint64{1: 1, 2: 26}, Errno(syscall.EPERM)},   // SO_ATTACH_FILTER
		{"prctl", [6]uint64{35}, Errno(syscall.EPERM)},                 // PR_SET_MM
		{"prctl", [6]uint64{47, 2}, Errno(syscall.EPERM)},              // PR_CAP_AMBIENT_RAISE
		{"arch_prctl", [6]uint64{0x1012}, Errno(syscall.EPERM)},        // ARCH_SET_CPUID
		{"personality", [6]uint64{0xffffffff}, Allow},                  // asks
		{"personality", [6]uint64{0x0040000}, Errno(syscall.EPERM)},    // ADDR_NO_RANDOMIZE
		{"prlimit64", [6]uint64{0, 7, 1}, Allow},                       // its own
		{"prlimit64", [6]uint64{1, 7, 0, 1}, Allow},                    // looks at process 1's
		{"prlimit64", [6]uint64{1, 7, 1}, Errno(syscall.EPERM)},        // sets process 1's
		{"mknod", [6]uint64{1: 0x1180}, Allow},                         // a FIFO
		{"mknodat", [6]uint64{2: 0x21b6}, Errno(syscall.EPERM)},        // a character device
		{"madvise", [6]uint64{2: 4}, Allow},                            // MADV_DONTNEED
		{"madvise", [6]uint64{2: 12}, Errno(syscall.EPERM)},            // MADV_MERGEABLE
		{"madvise", [6]uint64{2: 100}, Errno(syscall.EPERM)},           // MADV_HWPOISON
		{"sched_setscheduler", [6]uint64{1: 1}, Errno(syscall.EPERM)},  // SCHED_FIFO
		{"seccomp", [6]uint64{1, 1}, Allow},                            // takes away
		{"seccomp", [6]uint64{1, 9}, Errno(syscall.EPERM)},             // with a listener
		{"sync", [6]uint64{}, Errno(0)},                                // told that it is done
	}
	for _, test := range tests {
		if got := Decide(RoleNative, rules, test.call, test.args); got != test.want {
			t.Errorf("%s %#x: %v, want %v", test.call, test.args, got, test.want)
		}
	}
}

func TestActionString(t *testing.T) {
	for want, a := range map[string]Action{
		"allow": Allow, "kill": KillProcess, "errno ENOSYS": Errno(syscall.ENOSYS), "errno EPERM": Errno(syscall.EPERM), "errno 3": Errno(syscall.ESRCH),
	} {
		if a.String() != want {
			t.Errorf("%#x prints %q, want %q", uint32(a), a.String(), want)
		}
	}
}

func TestUnknownRole(t *testing.T) {
	if _, err := Table("baker"); err == nil {
		t.Error("a role that does not exist has a table")
	}
	if _, err := Explain("baker"); err == nil {
		t.Error("a role that does not exist is explained")
	}
}

func TestTableGivesACopy(t *testing.T) {
	rules, _ := Table(RoleJS)
	rules[0].Syscall = "mount"
	if again, _ := Table(RoleJS); again[0].Syscall == "mount" {
		t.Error("a caller changed the table")
	}
}

// On a kernel without MDWE the table stands in for it: no role may make memory
// executable, by any call that can. What native programs may do all the same is
// to execute, or to map to execute and not to write, a file: which files that
// can be is for the mounts to say.
func TestNoRoleMakesMemoryExecutable(t *testing.T) {
	const shmExec, private, anonymous = 0x8000, mapPrivate, mapPrivate | mapAnonymous
	attempts := []struct {
		syscall string
		args    [6]uint64
		file    bool // it can only be a file that is executed
	}{
		{"mmap", [6]uint64{2: protExec, 3: anonymous}, false},
		{"mmap", [6]uint64{2: protRead | protExec, 3: anonymous}, false},
		{"mmap", [6]uint64{2: protRead | protExec, 3: 0x01 | mapAnonymous}, false}, // MAP_SHARED
		{"mmap", [6]uint64{2: protRead | protWrite | protExec, 3: anonymous}, false},
		{"mmap", [6]uint64{2: protRead | protWrite | protExec, 3: private}, false},
		{"mmap", [6]uint64{2: protRead | protWrite | protExec, 3: 0x01}, false},
		{"mmap", [6]uint64{2: protRead | protExec | 1<<63, 3: anonymous | 1<<63}, false},
		{"mmap", [6]uint64{2: protRead | protExec, 3: private}, true},
		{"mprotect", [6]uint64{2: protExec}, false},
		{"mprotect", [6]uint64{2: protRead | protExec}, false},
		{"mprotect", [6]uint64{2: protRead | protWrite | protExec}, false},
		{"mprotect", [6]uint64{2: protExec | 0x01000000}, false}, // PROT_GROWSDOWN
		{"pkey_mprotect", [6]uint64{2: protExec}, false},
		{"pkey_mprotect", [6]uint64{2: protRead | protExec, 3: 1}, false},
		{"shmget", [6]uint64{}, false},
		{"shmat", [6]uint64{2: shmExec}, false},
		{"memfd_create", [6]uint64{}, false},
		{"memfd_create", [6]uint64{1: 0x10}, false}, // MFD_EXEC
		{"memfd_secret", [6]uint64{}, false},
		{"remap_file_pages", [6]uint64{}, false},
		{"personality", [6]uint64{0: 0x0400000}, false},         // READ_IMPLIES_EXEC
		{"personality", [6]uint64{0: 1<<32 | 0x0400000}, false}, // the kernel takes an unsigned int
		{"process_vm_writev", [6]uint64{}, false},
		{"ptrace", [6]uint64{}, false},
		{"userfaultfd", [6]uint64{}, false},
		{"io_uring_setup", [6]uint64{}, false},
		{"arch_prctl", [6]uint64{0: 0x2003}, false}, // ARCH_MAP_VDSO_64
		{"execve", [6]uint64{}, true},
		{"execveat", [6]uint64{}, true},
	}
	for _, role := range Roles() {
		rules, err := Table(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attempts {
			got := Decide(role, rules, a.syscall, a.args)
			may := a.file && role == RoleNative
			// The one step that is left to a worker before it runs anything.
			may = may || role == RoleWasm && a.syscall == "mprotect" && a.args[2] == protRead|protExec
			if may != (got == Allow) {
				t.Errorf("role %q: %s %#x gives %v", role, a.syscall, a.args, got)
			}
		}
		for _, name := range []string{"mmap", "mprotect"} { // the control
			if got := Decide(role, rules, name, [6]uint64{2: protRead | protWrite, 3: anonymous}); got != Allow {
				t.Errorf("role %q: %s without PROT_EXEC gives %v", role, name, got)
			}
		}
	}
}

// What a module runs under is what JavaScript runs under, but for the answer that
// proves it; and what is on beneath it allows no less.
func TestWasmRunsLikeJS(t *testing.T) {
	before, _ := Table(RoleWasm)
	during, _ := Table(RoleWasmRun)
	for _, r := range js() {
		var args [6]uint64
		for _, a := range r.Args {
			args[a.Index] = a.Value
		}
		want := r.Action
		if r.Syscall == "clone3" {
			want = Errno(syscall.EPERM)
		}
		if got := Decide(RoleWasmRun, during, r.Syscall, args); got != want {
			t.Errorf("%s %#x gives %v, and for JavaScript %v", r.Syscall, args, got, r.Action)
		}
		if got := Decide(RoleWasm, before, r.Syscall, args); got != r.Action {
			t.Errorf("%s %#x gives %v before, and for JavaScript %v", r.Syscall, args, got, r.Action)
		}
	}
	for _, c := range []struct {
		call string
		args [6]uint64
	}{{"mprotect", [6]uint64{2: protRead | protExec}}, {"prctl", [6]uint64{prSetMDWE, 1}}, {"seccomp", [6]uint64{setModeFilter, filterTSync}}} {
		if got := Decide(RoleWasmRun, during, c.call, c.args); got != KillProcess {
			t.Errorf("%s %#x gives %v", c.call, c.args, got)
		}
		if got := Decide(RoleWasm, before, c.call, c.args); got != Allow {
			t.Errorf("%s %#x gives %v before", c.call, c.args, got)
		}
	}
}
