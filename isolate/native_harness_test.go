package isolate

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"golang.org/x/sys/unix"
)

// busybox is the program that native workers run: static, and not ours.
const busybox = "/bin/busybox"

// applets are the names that busybox gets in a root.
var applets = []string{
	"sh", "cat", "id", "ls", "echo", "mount", "touch", "sleep", "dd", "mknod", "chmod", "cp", "mv", "ln", "rm",
	"mkdir", "grep", "head", "ps", "stat", "true", "wc", "test", "kill", "readlink", "nc", "seq", "free", "hostname",
}

// buildNative builds the process 1 that the tests start, once.
func buildNative(t testing.TB) string {
	t.Helper()
	if ready := os.Getenv("MPSUPERVISOR_TEST_NATIVE"); ready != "" { // where there is no Go to build it with
		return ready
	}
	out := filepath.Join(filepath.Dir(program), "native")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	build := exec.Command("go", "build", "-o", out, "./testdata/native")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the test's process 1: %v\n%s", err, text)
	}
	return out
}

// openNative gives a launcher for native programs.
func openNative(t testing.TB) *Launcher {
	t.Helper()
	worker, native := program, buildNative(t)
	program = native
	defer func() { program = worker }()
	return open(t)
}

// root makes a directory with busybox in it, and gives its path.
func root(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(program), "roots", strings.ReplaceAll(t.Name(), "/", "-"))
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	install(t, busybox, filepath.Join(bin, "busybox"))
	for _, name := range applets {
		if err := os.Symlink("busybox", filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// install copies a program.
func install(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatalf("%v (Debian has busybox in busybox-static)", err)
	}
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

// directory opens one as a supervisor does.
func directory(t testing.TB, path string) *os.File {
	t.Helper()
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { f.Close() })
	return f
}

// memory gives a file that holds a stack of filters.
func memory(t testing.TB, s seccomp.Stack) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("filters", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "filters")
	t.Cleanup(func() { f.Close() })
	if _, err := f.Write(s.Marshal()); err != nil {
		t.Fatal(err)
	}
	return f
}

func filters(t testing.TB, role seccomp.Role) seccomp.Stack {
	t.Helper()
	s, err := compile.Stack(role, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// nativeSpec is a native program that runs a command. The locks that the
// launcher does not set are left to process 1 to leave out.
func nativeSpec(t testing.TB, root string, without []lock.Name, command ...string) Spec {
	t.Helper()
	s := Spec{
		Args:   command,
		Limits: cgroup.Limits{Memory: 64 << 20, Pids: 64, CPU: 2},
		Native: &Native{Root: directory(t, root), TmpBytes: 8 << 20, TmpFiles: 256, Files: 128},
		Files:  []*os.File{channel(t), memory(t, filters(t, seccomp.RoleNative)), memory(t, filters(t, seccomp.RoleInit))},
	}
	var names []string
	for _, name := range without {
		names = append(names, string(name))
		if _, ok := omissions[name]; ok {
			s.Without = append(s.Without, name)
		}
	}
	s.Env = []string{"WITHOUT=" + strings.Join(names, ",")}
	if !slices.Contains(without, lock.Seccomp) {
		s.Env = append(s.Env, "NARROW=1")
	}
	return s
}

// shell runs a script in a native worker and gives what it prints.
func shell(t testing.TB, l *Launcher, root, script string, without ...lock.Name) string {
	t.Helper()
	return output(t, l, nativeSpec(t, root, without, "/bin/sh", "-c", script))
}

// output runs a native worker to its end and gives what it prints, with the
// code on a line of its own if that is not 0.
func output(t testing.TB, l *Launcher, s Spec) string {
	t.Helper()
	w, r := begin(t, l, s)
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	e := finish(t, w)
	text := strings.TrimSpace(string(out))
	if e.Code != 0 || e.Signal != 0 {
		text += fmt.Sprintf("\ncode %d, signal %d", e.Code, e.Signal)
	}
	return text
}
