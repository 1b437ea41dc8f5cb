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
		if limit := map[Role]int{RoleJS: 60, RoleInit: 60, RoleNative: 400}[role]; len(names) > limit {
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

func TestInstallRefusesWhatIsNoProgram(t *testing.T) {
	for _, n := range []int{0, 4, 12, 8 * 4097} {
		if err := Install(make([]byte, n)); err == nil {
			t.Fatalf("%d bytes were installed", n)
		}
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
			if may := a.file && role == RoleNative; may != (got == Allow) {
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
