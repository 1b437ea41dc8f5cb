package compile

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// costs are calls: one that the kernel remembers the answer to, and those that
// it runs the filters for each time.
var costs = map[string]func(){
	"getppid": func() { unix.Getppid() },
	"fcntl":   func() { unix.FcntlInt(0, unix.F_GETFL, 0) },
	"ioctl":   func() { unix.IoctlGetInt(0, unix.TIOCINQ) },
	"mmap": func() {
		if page, err := unix.Mmap(-1, 0, 4096, rw, anonymous); err == nil {
			unix.Munmap(page)
		}
	},
}

// BenchmarkCost times calls with the filters and without.
//
//	go test -bench Cost ./seccomp/compile
func BenchmarkCost(b *testing.B) {
	for _, name := range []string{"getppid", "fcntl", "ioctl", "mmap"} {
		for _, stack := range []struct {
			name string
			s    seccomp.Stack
		}{{"without", nil}, {"with", nativeStack(b, true)}} {
			b.Run(name+"/"+stack.name, func(b *testing.B) {
				for b.Loop() { // each is many calls, timed by the process that makes them
					out := output(b, helper(b, "cost", stack.s, name))
					ns, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(ns, "ns/call")
				}
			})
		}
	}
}

// BenchmarkInstall is what the start of a native program pays.
func BenchmarkInstall(b *testing.B) {
	stack := nativeStack(b, true)
	for b.Loop() {
		out := output(b, helper(b, "install", stack))
		ns, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(ns/1e3, "µs/install")
	}
}

// BenchmarkHotCalls reports how many instructions the kernel runs for those
// frequent calls that it cannot remember the answer to.
func BenchmarkHotCalls(b *testing.B) {
	hot := []struct {
		role seccomp.Role
		name string
		args [6]uint64
	}{
		{seccomp.RoleJS, "futex", [6]uint64{1: 128}}, {seccomp.RoleJS, "futex", [6]uint64{1: 129}}, {seccomp.RoleJS, "mmap", [6]uint64{}},
		{seccomp.RoleNative, "mmap", [6]uint64{}}, {seccomp.RoleNative, "mmap", [6]uint64{2: 5}}, {seccomp.RoleNative, "mprotect", [6]uint64{}},
		{seccomp.RoleNative, "madvise", [6]uint64{2: 4}}, {seccomp.RoleNative, "fcntl", [6]uint64{1: 6}}, {seccomp.RoleNative, "ioctl", [6]uint64{1: 0x5401}},
		{seccomp.RoleNative, "clone", [6]uint64{17}}, {seccomp.RoleNative, "prctl", [6]uint64{15}}, {seccomp.RoleNative, "socket", [6]uint64{1, 1}},
	}
	for _, h := range hot {
		b.Run(fmt.Sprintf("%s/%s/%d", h.role, h.name, h.args[1]|h.args[2]), func(b *testing.B) {
			s := mustCompile(b, h.role, nil, AMD64)
			nr, err := libseccomp.GetSyscallFromNameByArch(h.name, libseccomp.ArchAMD64)
			if err != nil {
				b.Fatal(err)
			}
			d := data{nr: uint32(nr), arch: AuditX86_64, args: h.args}
			var steps, size int
			for b.Loop() {
				steps, size = 0, 0
				for _, p := range s {
					_, n, _ := run(p.code, d)
					steps, size = steps+n, size+len(p.code)
				}
			}
			b.ReportMetric(float64(steps), "instructions")
			b.ReportMetric(float64(size), "program")
		})
	}
}

// BenchmarkCompile is what the launcher pays once for each role.
func BenchmarkCompile(b *testing.B) {
	for _, role := range seccomp.Roles() {
		b.Run(string(role), func(b *testing.B) {
			for b.Loop() {
				if _, err := Stack(role, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// timeCalls prints how long a call takes: the best of some rounds, so that what
// else the machine does counts little.
func timeCalls(args []string) {
	takeFilters()
	const rounds, calls = 20, 20_000
	best := time.Duration(1<<63 - 1)
	for range rounds {
		start := time.Now()
		for range calls {
			costs[args[0]]()
		}
		best = min(best, time.Since(start))
	}
	fmt.Println(float64(best.Nanoseconds()) / calls)
}

// timeInstall prints how long it takes to install the filters.
func timeInstall([]string) {
	stack := readFilters()
	start := time.Now()
	if err := stack.Install(); err != nil {
		fail(err)
	}
	fmt.Println(time.Since(start).Nanoseconds())
}
