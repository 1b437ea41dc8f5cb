package enter_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/landlock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// everyLock is what a worker proves on this kernel when nothing is left out.
var everyLock = slices.DeleteFunc([]lock.Name{
	lock.Descriptors, lock.NoNewPrivs, lock.Securebits, lock.Capabilities, lock.Rlimits,
	lock.Dumpable, lock.Landlock, lock.MDWE, lock.Seccomp,
}, func(n lock.Name) bool { return !lock.InKernel(n) })

// root is a directory that holds the helper and nothing else.
var root string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	if os.Getuid() != 0 {
		fmt.Println("skipped: needs root, to make namespaces with another user's ids")
		return 0
	}
	dir, err := os.MkdirTemp("", "enter-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	root = dir
	if err := os.Chmod(root, 0o755); err != nil {
		fmt.Println(err)
		return 1
	}
	build := exec.Command("go", "build", "-o", filepath.Join(root, "sealed"), "./testdata/sealed")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("cannot build the helper: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// helper is a started sealed process.
type helper struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *strings.Builder
	result outcome
}

// outcome is the first line that the helper prints.
type outcome struct {
	enter.Report
	Missing lock.Name
	Error   string
}

// options change how the helper is started.
type options struct {
	program []byte // nil: the one for RoleJS
	without []lock.Name
	noCaps  bool
	noMDWE  bool // as on a kernel that does not have it
	learn   bool
	native  bool
}

// start runs the helper as process 1 of fresh namespaces, as a user of a range
// of its own, with an empty root: what the launcher gives a worker, as far as
// this package needs it.
func start(t testing.TB, action string, o options) *helper {
	t.Helper()
	if o.program == nil {
		program, err := compile.Compile(seccomp.RoleJS)
		if err != nil {
			t.Fatal(err)
		}
		o.program = program
	}
	var names []string
	for _, name := range o.without {
		names = append(names, string(name))
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/sealed", action, strings.Join(names, ","))
	for word, set := range map[string]bool{"hide": o.noMDWE, "learn": o.learn, "native": o.native} {
		if set {
			cmd.Args = append(cmd.Args, word)
		}
	}
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.ExtraFiles = []*os.File{r}
	cmd.SysProcAttr = attributes(o.noCaps)
	h := &helper{cmd: cmd, stderr: new(strings.Builder)}
	cmd.Stderr = h.stderr
	h.in, _ = cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	h.out = bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	r.Close()
	w.Write(o.program)
	w.Close()
	if err := json.Unmarshal([]byte(h.line(t)), &h.result); err != nil {
		t.Fatal(err)
	}
	return h
}

func attributes(noCaps bool) *syscall.SysProcAttr {
	const base, uid, setpcap = 1_812_000_000, 1000, 8
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: 4096}}
	attr := &syscall.SysProcAttr{
		Chroot: root,
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWCGROUP,
		UidMappings: ids, GidMappings: ids,
		Credential: &syscall.Credential{Uid: uid, Gid: uid},
	}
	if !noCaps {
		attr.AmbientCaps = []uintptr{setpcap}
	}
	return attr
}

// line reads one line of the helper's output, and when there is none says why.
func (h *helper) line(t testing.TB) string {
	t.Helper()
	line, err := h.out.ReadString('\n')
	if err != nil {
		t.Fatalf("no line from the helper: %v; %v; %s", err, h.cmd.Wait(), h.stderr)
	}
	return strings.TrimSuffix(line, "\n")
}

// finish waits for the helper's end.
func (h *helper) finish() syscall.WaitStatus {
	h.in.Close()
	io.Copy(io.Discard, h.out)
	h.cmd.Wait()
	return h.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestEnterProvesEveryLock(t *testing.T) {
	h := start(t, "nothing", options{})
	if h.result.Error != "" || !slices.Equal(h.result.Locks, everyLock) {
		t.Fatalf("Enter gave %+v", h.result)
	}
	kernel, err := landlock.Running()
	if err != nil || h.result.LandlockABI != kernel.ABI || !slices.Equal(h.result.LandlockMissing, kernel.Missing()) {
		t.Errorf("Landlock ABI %d without %q, the kernel has %+v, %v", h.result.LandlockABI, h.result.LandlockMissing, kernel, err)
	}
	if status := h.finish(); status != 0 {
		t.Errorf("wait status %#x: %s", status, h.stderr)
	}
}

// On a kernel without MDWE a worker is sealed without it, says so, and lives.
// Where the lock is absent the filter must not be: see TestMissing.
func TestKernelWithoutMDWE(t *testing.T) {
	h := start(t, "work", options{noMDWE: true})
	want := slices.DeleteFunc(slices.Clone(everyLock), func(n lock.Name) bool { return n == lock.MDWE })
	if h.result.Error != "" || !slices.Equal(h.result.Locks, want) || !slices.Equal(h.result.Absent, []lock.Name{lock.MDWE}) {
		t.Fatalf("Enter gave %+v", h.result)
	}
	fmt.Fprintln(h.in, "hello")
	if got := h.line(t); got != "echo hello" {
		t.Errorf("got %q", got)
	}
	if h := start(t, "nothing", options{}); len(h.result.Absent) != 0 && lock.InKernel(lock.MDWE) {
		t.Errorf("this kernel has every lock, and %q is absent", h.result.Absent)
	}
}

// A sealed worker lives: nothing that Go's runtime does is a call that it does
// not have.
func TestSealedWorkerWorks(t *testing.T) {
	h := start(t, "work", options{})
	for i := range 300 {
		fmt.Fprintln(h.in, i)
		if got, want := h.line(t), fmt.Sprint("echo ", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	h.in.Close()
	if got := h.line(t); got != "done" {
		t.Fatalf("got %q", got)
	}
	if status := h.finish(); status != 0 || !strings.Contains(h.stderr.String(), "words on standard error") {
		t.Errorf("wait status %#x: %s", status, h.stderr)
	}
}

// A stop interrupts a sleep, which the kernel resumes by restart_syscall.
func TestSealedWorkerIsStoppedAndContinued(t *testing.T) {
	h := start(t, "sleep", options{})
	for i := range 20 {
		for _, sig := range []os.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
			if err := h.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintln(h.in, i)
		h.line(t)
	}
	if status := h.finish(); status != 0 {
		t.Errorf("wait status %#x: %s", status, h.stderr)
	}
}

// How a sealed worker ends must be told truly: by its own words and status, or
// by the filter's signal.
func TestSealedWorkerEnds(t *testing.T) {
	tests := []struct {
		action string
		stderr string
		check  func(syscall.WaitStatus) bool
	}{
		{"crash", "the reason of the crash", func(s syscall.WaitStatus) bool { return s.Exited() && s.ExitStatus() == 2 }},
		{"fault", "nil pointer dereference", func(s syscall.WaitStatus) bool { return s.Exited() && s.ExitStatus() == 2 }},
		{"open", "", func(s syscall.WaitStatus) bool { return s.Signaled() && s.Signal() == syscall.SIGSYS }},
	}
	for _, test := range tests {
		t.Run(test.action, func(t *testing.T) {
			h := start(t, test.action, options{})
			if status := h.finish(); !test.check(status) || !strings.Contains(h.stderr.String(), test.stderr) {
				t.Errorf("wait status %#x: %s", status, h.stderr)
			}
		})
	}
}

// Every thread has the locks that are a matter of one thread, as seen from
// outside. The control run leaves them out.
func TestEveryThreadIsLocked(t *testing.T) {
	perThread := []lock.Name{lock.NoNewPrivs, lock.Securebits, lock.Capabilities, lock.Landlock, lock.Seccomp}
	for _, without := range [][]lock.Name{nil, perThread} {
		h := start(t, "wait", options{without: without})
		if h.result.Error != "" {
			t.Fatal(h.result.Error)
		}
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", h.cmd.Process.Pid))
		if err != nil || len(tasks) < 3 {
			t.Fatalf("%d threads, %v", len(tasks), err)
		}
		for _, task := range tasks {
			status, err := os.ReadFile(task)
			if err != nil {
				t.Fatal(err)
			}
			locked := strings.Contains(string(status), "\nNoNewPrivs:\t1\n") &&
				strings.Contains(string(status), "\nSeccomp:\t2\n") &&
				strings.Contains(string(status), "\nCapBnd:\t0000000000000000\n") &&
				strings.Contains(string(status), "\nCapAmb:\t0000000000000000\n")
			if locked != (without == nil) {
				t.Errorf("without %q: %s", without, status)
			}
		}
		h.finish()
	}
}

// Each lock can be left out, and is then not in the report.
func TestWithout(t *testing.T) {
	for _, name := range everyLock {
		without := []lock.Name{name}
		if name == lock.NoNewPrivs { // which the kernel demands for these two
			without = append(without, lock.Landlock, lock.Seccomp)
		}
		h := start(t, "nothing", options{without: without})
		want := slices.DeleteFunc(slices.Clone(everyLock), func(n lock.Name) bool { return slices.Contains(without, n) })
		if h.result.Error != "" || !slices.Equal(h.result.Locks, want) {
			t.Errorf("without %q: %+v", without, h.result)
		}
		h.finish()
	}
}

// What a lock needs and does not get is a missing lock, by its name.
func TestMissing(t *testing.T) {
	ret := func(action uint32) []byte { // BPF: ret #action
		return []byte{6, 0, 0, 0, byte(action), byte(action >> 8), byte(action >> 16), byte(action >> 24)}
	}
	tests := []struct {
		what string
		want lock.Name
		o    options
	}{
		{"no capability to lock securebits with", lock.Securebits, options{noCaps: true}},
		{"no capability to empty the bounding set with", lock.Capabilities, options{noCaps: true, without: []lock.Name{lock.Securebits}}},
		{"no program", lock.Seccomp, options{program: []byte{}}},
		{"half an instruction", lock.Seccomp, options{program: ret(0x7fff0000)[:6]}},
		{"a program that the kernel refuses", lock.Seccomp, options{program: []byte("this is no filter program.......")}},
		{"a program that allows everything", lock.Seccomp, options{program: ret(0x7fff0000)}},
		{"no program, where it stands in for MDWE", lock.Seccomp, options{program: []byte{}, noMDWE: true}},
		{"a filter that needs no_new_privs", lock.Landlock, options{without: []lock.Name{lock.NoNewPrivs}}},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			if h := start(t, "nothing", test.o); h.result.Missing != test.want {
				t.Errorf("got %+v, want %q missing", h.result, test.want)
			}
		})
	}
}

// This test binary links libseccomp, so it is no pure Go program.
func TestEnterRefusesCgo(t *testing.T) {
	_, err := enter.Enter(enter.Config{})
	if err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("Enter in a cgo program gave %v", err)
	}
}

// A filter that refuses nothing cannot stand in for a lock that is absent.
func TestLearningTakesMDWE(t *testing.T) {
	if h := start(t, "nothing", options{noMDWE: true, learn: true}); h.result.Missing != lock.MDWE {
		t.Errorf("got %+v, want %q missing", h.result, lock.MDWE)
	}
}

// A native program's process 1 is not sealed where there is no /tmp to prove
// Landlock in: here, in a root with one file.
func TestNativeWithoutItsRoot(t *testing.T) {
	if h := start(t, "nothing", options{native: true}); h.result.Missing != lock.Landlock {
		t.Errorf("got %+v, want %q missing", h.result, lock.Landlock)
	}
}
