package compile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// helperMode has this test's binary take filters and do something under them.
const helperMode = "SECCOMP_TEST_HELPER"

// helpers are what it can do: each takes the filters and prints what came of it.
var helpers = map[string]func(args []string){
	"exec":   execute,
	"calls":  makeCalls,
	"code":   makeCode,
	"misses": makeMisses,

	"refused": makeRefused,
	"last":    makeLast,

	"cost":    timeCalls,
	"install": timeInstall,
}

func TestMain(m *testing.M) {
	help, ok := helpers[os.Getenv(helperMode)]
	if !ok {
		os.Exit(m.Run())
	}
	os.Unsetenv(helperMode)
	runtime.LockOSThread()
	help(os.Args[1:])
}

// takeFilters installs the stack that descriptor 3 brings, if it brings any.
func takeFilters() {
	if stack := readFilters(); len(stack) > 0 {
		if err := stack.Install(); err != nil {
			fail(err)
		}
	}
}

// readFilters makes ready for them.
func readFilters() seccomp.Stack {
	r := os.NewFile(3, "filters")
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		fail(err)
	}
	r.Close()
	stack, err := seccomp.ParseStack(b.Bytes())
	if err != nil {
		fail(err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		fail(err)
	}
	return stack
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "helper:", err)
	os.Exit(99)
}

// helper is a command of this binary under filters; none for a control.
func helper(t testing.TB, mode string, stack seccomp.Stack, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	filters, err := os.CreateTemp(t.TempDir(), "filters")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := filters.Write(stack.Marshal()); err != nil {
		t.Fatal(err)
	}
	if _, err := filters.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { filters.Close() })
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), helperMode+"="+mode)
	cmd.ExtraFiles = []*os.File{filters}
	return cmd
}

// output runs a helper, and gives what it printed.
func output(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, stderr.String())
	}
	return string(out)
}

// nativeStack is that of the role for programs. Without log it tells nobody,
// where thousands of refusals would be told.
func nativeStack(t testing.TB, log bool) seccomp.Stack {
	t.Helper()
	stack, err := Stack(seccomp.RoleNative, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range stack {
		stack[i].Log = stack[i].Log && log
	}
	return stack
}

// request is one raw system call.
type request struct {
	Nr   uintptr
	Args [6]uint64
}

func (r request) make() (uintptr, syscall.Errno) {
	r1, _, errno := syscall.RawSyscall6(r.Nr, uintptr(r.Args[0]), uintptr(r.Args[1]), uintptr(r.Args[2]),
		uintptr(r.Args[3]), uintptr(r.Args[4]), uintptr(r.Args[5]))
	return r1, errno
}

// userName has a helper take another user when it has the filters.
const userName = "SECCOMP_TEST_USER"

func asWorkUser(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", userName, workUser))
	return cmd
}

func execute(args []string) {
	takeFilters()
	becomeUser()
	fail(syscall.Exec(args[0], args, os.Environ()))
}

// becomeUser makes this thread another user's, if a helper is to be.
func becomeUser() {
	user, err := strconv.Atoi(os.Getenv(userName))
	if err != nil {
		return
	}
	for _, nr := range []uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
		if _, _, errno := syscall.RawSyscall(nr, uintptr(user), uintptr(user), uintptr(user)); errno != 0 {
			fail(errno)
		}
	}
}

// makeCalls makes the system calls that standard input lists, and prints the
// error of each. It makes none before it has seen that a filter is there.
func makeCalls([]string) {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		fail(err)
	}
	takeFilters()
	if _, errno := (request{Nr: unix.SYS_MOUNT}).make(); errno != syscall.EPERM {
		fail(fmt.Errorf("mount gives %v: there is no filter", errno))
	}
	var errnos []syscall.Errno
	for _, r := range requests {
		_, errno := r.make()
		errnos = append(errnos, errno)
	}
	json.NewEncoder(os.Stdout).Encode(errnos)
}
