package compile

import (
	"fmt"
	"testing"

	libseccomp "github.com/seccomp/libseccomp-golang"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// highest is above every system call number that Linux has given out.
const highest = 600

var targets = []struct {
	arch  Arch
	id    libseccomp.ScmpArch
	audit uint32
}{
	{AMD64, libseccomp.ArchAMD64, AuditX86_64},
	{ARM64, libseccomp.ArchARM64, AuditAArch64},
}

// Every number, with arguments on both sides of every condition, must get from
// the compiled program what the table says.
func TestProgramEqualsTable(t *testing.T) {
	for _, role := range seccomp.Roles() {
		for _, target := range targets {
			t.Run(fmt.Sprintf("%s/%s", role, target.arch), func(t *testing.T) {
				program, rules := mustCompile(t, role, target.arch)
				allowed := 0
				for nr := 0; nr <= highest; nr++ {
					name, err := libseccomp.ScmpSyscall(nr).GetNameByArch(target.id)
					if err != nil {
						name = "" // no such call: the table cannot name it
					}
					for _, args := range samples(rules, name) {
						want := uint32(seccomp.Decide(rules, name, args))
						check(t, program, data{nr: uint32(nr), arch: target.audit, args: args}, want)
						if want == uint32(seccomp.Allow) {
							allowed++
						}
					}
				}
				if allowed == 0 {
					t.Error("the program allows nothing at all")
				}
			})
		}
	}
}

// The other ways into the kernel are closed whatever the number and arguments.
func TestProgramKillsOtherEntries(t *testing.T) {
	for _, role := range seccomp.Roles() {
		for _, target := range targets {
			program, rules := mustCompile(t, role, target.arch)
			for nr := range uint32(highest) {
				name, _ := libseccomp.ScmpSyscall(nr).GetNameByArch(target.id)
				for _, args := range samples(rules, name) {
					for _, arch := range []uint32{AuditX86_64, AuditI386, AuditAArch64, AuditARM, 0, ^uint32(0)} {
						if arch != target.audit {
							check(t, program, data{nr: nr, arch: arch, args: args}, uint32(seccomp.KillProcess))
						}
					}
					check(t, program, data{nr: nr | x32Bit, arch: target.audit, args: args}, uint32(seccomp.KillProcess))
				}
			}
			for _, nr := range []uint32{1<<31 - 1, 1 << 31, ^uint32(0)} {
				check(t, program, data{nr: nr, arch: target.audit}, uint32(seccomp.KillProcess))
			}
		}
	}
}

func TestForRefuses(t *testing.T) {
	if _, err := For("baker", AMD64); err == nil {
		t.Error("a role that does not exist was compiled")
	}
	if _, err := For(seccomp.RoleJS, "pdp11"); err == nil {
		t.Error("an architecture that does not exist was compiled for")
	}
}

func TestCompileIsForThisMachine(t *testing.T) {
	got, err := Compile(seccomp.RoleJS)
	if err != nil {
		t.Fatal(err)
	}
	native, err := libseccomp.GetNativeArch()
	if err != nil {
		t.Fatal(err)
	}
	want, err := For(seccomp.RoleJS, Arch(native.String()))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("Compile and For differ for the native architecture")
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
		{AuditX86_64, 9999, "syscall 9999"},
		{0x1234, 7, "syscall 7 of architecture 0x1234"},
	}
	for _, test := range tests {
		if got := Name(test.audit, test.nr); got != test.want {
			t.Errorf("Name(%#x, %d) = %q, want %q", test.audit, test.nr, got, test.want)
		}
	}
}

func mustCompile(t testing.TB, role seccomp.Role, arch Arch) ([]instruction, []seccomp.Rule) {
	t.Helper()
	rules, err := seccomp.Table(role)
	if err != nil {
		t.Fatal(err)
	}
	program, err := For(role, arch)
	if err != nil {
		t.Fatal(err)
	}
	return decode(program), rules
}

func check(t *testing.T, program []instruction, d data, want uint32) {
	t.Helper()
	got, _, err := run(program, d)
	if err != nil {
		t.Fatalf("call %d of architecture %#x with %#x: %v", d.nr, d.arch, d.args, err)
	}
	if got != want {
		t.Fatalf("call %d of architecture %#x with %#x: action %#x, want %#x", d.nr, d.arch, d.args, got, want)
	}
}

// samples gives argument lists on both sides of every condition that the table
// has for a call: each value that it names, and each of those with one bit
// turned over.
func samples(rules []seccomp.Rule, name string) [][6]uint64 {
	values := map[int]map[uint64]bool{}
	for _, r := range rules {
		if r.Syscall != name {
			continue
		}
		for _, a := range r.Args {
			if values[a.Index] == nil {
				values[a.Index] = map[uint64]bool{0: true, ^uint64(0): true}
			}
			values[a.Index][a.Value] = true
			values[a.Index][a.Value|^a.Mask] = true
			for bit := range 64 {
				values[a.Index][a.Value^1<<bit] = true
			}
		}
	}
	all := [][6]uint64{{}}
	for index, set := range values {
		var next [][6]uint64
		for _, args := range all {
			for v := range set {
				args[index] = v
				next = append(next, args)
			}
		}
		all = next
	}
	return all
}

// BenchmarkHotCalls reports how many instructions the kernel runs for the
// calls that a worker makes most.
func BenchmarkHotCalls(b *testing.B) {
	program, _ := mustCompile(b, seccomp.RoleJS, AMD64)
	hot := []struct {
		name string
		args [6]uint64
	}{
		{"read", [6]uint64{}}, {"write", [6]uint64{}}, {"recvmsg", [6]uint64{}}, {"epoll_pwait", [6]uint64{}},
		{"nanosleep", [6]uint64{}}, {"futex", [6]uint64{1: 128}}, {"futex", [6]uint64{1: 129}}, {"mmap", [6]uint64{}}, {"close", [6]uint64{}},
	}
	for _, h := range hot {
		b.Run(fmt.Sprintf("%s/%d", h.name, h.args[1]), func(b *testing.B) {
			nr, err := libseccomp.GetSyscallFromNameByArch(h.name, libseccomp.ArchAMD64)
			if err != nil {
				b.Fatal(err)
			}
			d := data{nr: uint32(nr), arch: AuditX86_64, args: h.args}
			var steps int
			for b.Loop() {
				_, steps, _ = run(program, d)
			}
			b.ReportMetric(float64(steps), "instructions")
			b.ReportMetric(float64(len(program)), "program")
		})
	}
}

// BenchmarkCompile is what the launcher pays once.
func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(seccomp.RoleJS); err != nil {
			b.Fatal(err)
		}
	}
}
