package compile

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

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
