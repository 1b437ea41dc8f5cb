package compile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// workUser is nobody's, so that the kernel's records of the programs that run
// under it can be told from others, of another run of these tests too.
var workUser = 1_800_000_000 + os.Getpid()

// Programs that know nothing of the filters do their work under them as without,
// and the kernel has nothing to tell: what libraries ask as a matter of routine
// is refused quietly.
func TestProgramsWork(t *testing.T) {
	dir := workDir(t)
	goProgram := filepath.Join(dir, "work")
	copyFile(t, buildWork(t), goProgram)
	programs := []struct {
		name string
		args []string
	}{
		{"busybox", []string{"/usr/bin/busybox", "sh", script(t, dir, "applets.sh")}},
		{"bash", []string{"/bin/bash", script(t, dir, "work.bash")}},
		{"python", []string{"/usr/bin/python3", "-I", script(t, dir, "work.py")}},
		{"go", []string{goProgram}},
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			if _, err := os.Stat(p.args[0]); err != nil {
				t.Skipf("this machine has no %s", p.args[0])
			}
			records := listen(t)
			without, with := work(t, nil, p.args), work(t, nativeStack(t, true), p.args)
			if without != with || !strings.HasSuffix(with, "done\n") {
				t.Errorf("without the filters:\n%s\nwith them:\n%s", without, with)
			}
			if told := records.until(t, "mount"); len(told) > 0 {
				t.Errorf("the kernel tells of %v", told)
			}
		})
	}
}

// What is refused is told of, with its number, and what is refused quietly is
// not.
func TestRefusalsAreTold(t *testing.T) {
	records := listen(t)
	output(t, asWorkUser(helper(t, "refused", nativeStack(t, true))))
	if told := records.until(t, "mount"); !slices.Equal(told, []string{"ptrace", "socket", "statmount"}) {
		t.Errorf("the kernel tells of %v", told)
	}
}

// makeRefused makes calls that are refused: clone3 and splice quietly.
func makeRefused([]string) {
	takeFilters()
	becomeUser()
	call(unix.SYS_CLONE3)(0)
	call(unix.SYS_PTRACE)(0)
	call(unix.SYS_SPLICE)(0)
	call(unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM)(0)
	call(unix.SYS_STATMOUNT)(0)
}

// work runs a program as workUser in a new directory, and gives what it printed.
func work(t *testing.T, stack seccomp.Stack, args []string) string {
	t.Helper()
	dir := workDir(t)
	cmd := asWorkUser(helper(t, "exec", stack, append(slices.Clone(args), dir)...))
	cmd.Env = append(cmd.Env, "LC_ALL=C", "TMPDIR="+dir, "B=/usr/bin/busybox")
	return strings.ReplaceAll(output(t, cmd), dir, "DIR")
}

// workDir is a directory of workUser's that it can get to.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "seccomp-work-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		if err := os.Chown(dir, workUser, workUser); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func script(t *testing.T, dir, name string) string {
	t.Helper()
	copyFile(t, filepath.Join("testdata", name), filepath.Join(dir, name))
	return filepath.Join(dir, name)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
}
