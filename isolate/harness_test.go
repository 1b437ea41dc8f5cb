package isolate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
)

// program is the worker that the tests start, built by TestMain.
var program string

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: starting a worker needs root (CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID)")
		return
	}
	if err := stage.Enter(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mpsupervisor-isolate-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "view")
	if ready := os.Getenv("MPSUPERVISOR_TEST_WORKER"); ready != "" { // where there is no Go to build it with
		program = ready
		return m.Run()
	}
	build := exec.Command("go", "build", "-o", program, "./testdata/view")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the test's worker: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

var lanes atomic.Int32

func config(t testing.TB) Config {
	t.Helper()
	name := fmt.Sprintf("mpsupervisor-test/%d-%d", os.Getpid(), lanes.Add(1))
	groups, err := cgroup.Own(name)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		StateDir: filepath.Join(filepath.Dir(program), name),
		Groups:   groups,
		Binary:   program,
		UIDBase:  1800000000, UIDCount: 4096, Slots: 64,
	}
}

// open gives a launcher and checks, at the end, that nothing is left of it.
func open(t testing.TB) *Launcher {
	t.Helper()
	conf := config(t)
	l, err := Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, _ := os.ReadDir(l.states())
		roots, _ := os.ReadDir(l.place(""))
		groups, err := conf.Groups.Names()
		if len(left) > 0 || len(roots) > 0 || len(groups) > 0 || err != nil {
			t.Errorf("left behind: state %v, roots %v, groups %v, %v", left, roots, groups, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := conf.Groups.Remove(); err != nil {
			t.Error(err)
		}
		if b, _ := os.ReadFile("/proc/self/mountinfo"); strings.Contains(string(b), conf.StateDir) {
			t.Errorf("left mounted:\n%s", b)
		}
		if _, err := os.Stat(conf.StateDir); !os.IsNotExist(err) {
			t.Errorf("state directory is still there: %v", err)
		}
	})
	return l
}

var limits = cgroup.Limits{Memory: 64 << 20, Pids: 32, CPU: 2}

// begin starts a worker and gives what it writes.
func begin(t testing.TB, l *Launcher, s Spec) (*Worker, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	t.Cleanup(func() { r.Close() })
	// Or it could not be opened once more, as /dev/stderr.
	if err := w.Chmod(0o666); err != nil {
		t.Fatal(err)
	}
	s.Stderr = w
	if s.ID == "" {
		s.ID = "a"
	}
	if s.Limits == (cgroup.Limits{}) {
		s.Limits = limits
	}
	worker, err := l.Start(s)
	if err != nil {
		w.Close()
		said, _ := io.ReadAll(r)
		t.Fatalf("%v (said: %q)", err, said)
	}
	t.Cleanup(func() {
		if _, err := os.Stat(worker.state); err == nil { // a failed test has not waited for it
			worker.Kill()
			worker.Wait()
		}
	})
	return worker, bufio.NewReader(r)
}

func finish(t testing.TB, w *Worker) Ended {
	t.Helper()
	e, err := w.Wait()
	if err != nil {
		t.Error(err)
	}
	return e
}

// view mirrors the test worker's report.
type view struct {
	Pid, UID, GID                                       int
	Groups                                              []int
	Hostname, Cwd                                       string
	Args, Env, Root, Dev                                []string
	Open                                                []int
	Caps                                                [5]uint64
	NoNewPrivs, Securebits                              int
	Core, Files                                         uint64
	WriteRoot, WriteSelf, MountProc, KillHost, Loopback string
}

func look(t testing.TB, l *Launcher, s Spec) view {
	t.Helper()
	w, r := begin(t, l, s)
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if e := finish(t, w); e.Code != 0 || e.Signal != 0 {
		t.Fatalf("ended with %+v: %s", e, out)
	}
	var v view
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return v
}
