package compile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// thisTarget is the machine that runs the tests.
func thisTarget(t testing.TB) target {
	t.Helper()
	native, err := nativeArch()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if target.arch == native {
			return target
		}
	}
	t.Fatalf("no table for %s", native)
	return target{}
}

// Whatever the table refuses, the kernel refuses, by exactly that error:
// every number, with every argument beside those that the table allows.
func TestKernelRefusesAsTheTableSays(t *testing.T) {
	rules, err := seccomp.Table(seccomp.RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	var requests []request
	var wants []syscall.Errno
	for nr := range highest {
		name := lookup(thisTarget(t).id, nr)
		if nr == 335 || nr == 336 {
			continue // uretprobe and uprobe, which newer kernels on x86-64 answer before any filter
		}
		for _, args := range samples(rules, name) {
			if e, ok := seccomp.Decide(seccomp.RoleNative, rules, name, args).Errno(); ok {
				requests, wants = append(requests, request{uintptr(nr), args}), append(wants, e)
			}
		}
	}
	for i, got := range try(t, requests) {
		if got != wants[i] {
			name := lookup(thisTarget(t).id, int(requests[i].Nr))
			t.Fatalf("%s (%d) with %#x: %v, want %v", name, requests[i].Nr, requests[i].Args, got, wants[i])
		}
	}
	if len(requests) < 1000 {
		t.Errorf("only %d calls were tried", len(requests))
	}
}

func try(t *testing.T, requests []request) (errnos []syscall.Errno) {
	t.Helper()
	in, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	cmd := helper(t, "calls", nativeStack(t, false))
	cmd.Stdin = bytes.NewReader(in)
	if err := json.Unmarshal([]byte(output(t, cmd)), &errnos); err != nil {
		t.Fatal(err)
	}
	if len(errnos) != len(requests) {
		t.Fatalf("%d answers to %d calls", len(errnos), len(requests))
	}
	return errnos
}

// A call by another entry ends the process.
func TestKernelKillsOtherEntries(t *testing.T) {
	if thisTarget(t).arch != AMD64 {
		t.Skip("the other entries are those of x86-64")
	}
	cmd := helper(t, "calls", nativeStack(t, false))
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`[{"Nr":%d}]`, x32Bit|unix.SYS_GETPID))
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
		t.Errorf("getpid by x32's entry: %v, want SIGSYS", err)
	}
}

// All filters are on every thread, and a process has them after exec.
func TestStackIsInstalled(t *testing.T) {
	stack := nativeStack(t, true)
	status := output(t, helper(t, "exec", stack, "/bin/cat", "/proc/self/status"))
	for _, want := range []string{"\nSeccomp:\t2\n", fmt.Sprintf("\nSeccomp_filters:\t%d\n", len(stack)), "\nNoNewPrivs:\t1\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("/proc/self/status has no %q:\n%s", want, status)
		}
	}
	inits, err := Stack(seccomp.RoleInit, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Process 1 takes its own filter on top of the program's.
	cmd := helper(t, "exec", append(stack, inits...), "/bin/true")
	if err := cmd.Run(); err == nil {
		t.Error("a process with the filter of role init executed another program")
	} else if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
		t.Errorf("a process with the filter of role init executed another program: %v, want SIGSYS", err)
	}
}

// Where the kernel looks at part of a register, the filter must look at the same
// part. Each of these gets past a comparison of the whole register: without the
// filter the kernel does what is asked for, which shows that it does not see the
// rest; with it, it is refused.
func TestBitsThatTheKernelDoesNotSee(t *testing.T) {
	without := output(t, helper(t, "misses", nil))
	with := output(t, helper(t, "misses", nativeStack(t, false)))
	var want strings.Builder
	for _, m := range misses {
		fmt.Fprintf(&want, "%s: %v\n", m.name, m.without)
	}
	if without != want.String() {
		t.Errorf("without the filter:\n%s\nwant:\n%s", without, want.String())
	}
	want.Reset()
	for _, m := range misses {
		fmt.Fprintf(&want, "%s: %v\n", m.name, m.with)
	}
	if with != want.String() {
		t.Errorf("with the filter:\n%s\nwant:\n%s", with, want.String())
	}
}

const junk = 0x5a5a5a5a << 32

var misses = []struct {
	name          string
	make          func(terminal int) syscall.Errno
	without, with syscall.Errno
}{
	{"TIOCSTI", ioctl(unix.TIOCSTI), 0, syscall.EPERM},
	{"TIOCSTI, high bits", ioctl(unix.TIOCSTI | junk), 0, syscall.EPERM},
	{"TIOCSTI, the sign's bits", ioctl(unix.TIOCSTI | 0xffffffff<<32), 0, syscall.EPERM},
	{"TIOCLINUX, high bits", ioctl(0x541c | junk), syscall.ENOTTY, syscall.EPERM}, // no virtual console: but the kernel was reached
	{"TIOCSETD, high bits", ioctl(unix.TIOCSETD | junk), 0, syscall.EPERM},
	{"TIOCGWINSZ, high bits", ioctl(unix.TIOCGWINSZ | junk), 0, 0}, // allowed is allowed, too
	{"AF_INET, high bits", call(unix.SYS_SOCKET, unix.AF_INET|junk, unix.SOCK_STREAM), 0, syscall.EPERM},
	{"AF_UNIX raw, high bits", call(unix.SYS_SOCKET, unix.AF_UNIX|junk, unix.SOCK_RAW|junk), 0, syscall.EPERM},
	{"AF_UNIX, high bits", call(unix.SYS_SOCKET, unix.AF_UNIX|junk, unix.SOCK_DGRAM|junk), 0, 0},
	{"READ_IMPLIES_EXEC, high bits", call(unix.SYS_PERSONALITY, 0x0400000|junk), 0, syscall.EPERM},
	{"PR_SET_SECUREBITS, high bits", call(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS|junk, 0), 0, syscall.EPERM},
	{"F_SETPIPE_SZ, high bits", func(int) syscall.Errno {
		var p [2]int
		unix.Pipe2(p[:], unix.O_CLOEXEC)
		return call(unix.SYS_FCNTL, uint64(p[0]), unix.F_SETPIPE_SZ|junk, 8192)(0)
	}, 0, syscall.EPERM},
	{"a device, high bits", func(int) syscall.Errno {
		name, at := []byte("/tmp/seccomp-test-device\x00"), unix.AT_FDCWD
		errno := call(unix.SYS_MKNODAT, uint64(at), uint64(uintptr(unsafe.Pointer(&name[0]))), unix.S_IFCHR|junk|0x10000, 0)(0)
		os.Remove("/tmp/seccomp-test-device")
		return errno
	}, 0, syscall.EPERM},
	{"a limit of process 1, high bits", func(int) syscall.Errno {
		l := unix.Rlimit{}
		unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, &l)
		return call(unix.SYS_PRLIMIT64, uint64(os.Getppid())|junk, unix.RLIMIT_CORE, uint64(uintptr(unsafe.Pointer(&l))))(0)
	}, 0, syscall.EPERM},
	{"SCHED_FIFO, high bits", func(int) syscall.Errno {
		priority := int32(1)
		return call(unix.SYS_SCHED_SETSCHEDULER, 0, 1|junk, uint64(uintptr(unsafe.Pointer(&priority))))(0)
	}, 0, syscall.EPERM},
	{"a new namespace", call(unix.SYS_CLONE, unix.CLONE_NEWUTS|uint64(unix.SIGCHLD)), 0, syscall.EPERM},
	{"a fork, high bits", call(unix.SYS_CLONE, uint64(unix.SIGCHLD)|junk), 0, syscall.EPERM},
}

// call makes a raw system call. What forks ends at once in the child.
func call(nr uintptr, args ...uint64) func(int) syscall.Errno {
	r := request{Nr: nr}
	copy(r.Args[:], args)
	return func(int) syscall.Errno {
		pid, errno := r.make()
		if nr == unix.SYS_CLONE && errno == 0 {
			if pid == 0 {
				syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
			}
			unix.Wait4(int(pid), nil, 0, nil)
		}
		return errno
	}
}

// ioctl asks the terminal, with an argument that does for each request here: the
// address of some zeros.
func ioctl(r uint64) func(int) syscall.Errno {
	return func(terminal int) syscall.Errno {
		zeros := new([64]byte)
		return call(unix.SYS_IOCTL, uint64(terminal), r, uint64(uintptr(unsafe.Pointer(zeros))))(0)
	}
}

// makeMisses has a terminal of its own, as its controlling one.
func makeMisses([]string) {
	terminal, err := newTerminal()
	if err != nil {
		fail(err)
	}
	takeFilters()
	for _, m := range misses {
		fmt.Printf("%s: %v\n", m.name, m.make(terminal))
	}
}

func newTerminal() (int, error) {
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return -1, err
	}
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return -1, err
	}
	slave, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if _, err := unix.Setsid(); err != nil {
		return -1, err
	}
	return slave, unix.IoctlSetInt(slave, unix.TIOCSCTTY, 0)
}
