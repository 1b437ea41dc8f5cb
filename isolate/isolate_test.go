package isolate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"golang.org/x/sys/unix"
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
		groups, err := conf.Groups.Names()
		if len(left) > 0 || len(groups) > 0 || err != nil {
			t.Errorf("left behind: state %v, groups %v, %v", left, groups, err)
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

func TestViewFromInside(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	v := look(t, open(t), Spec{Args: []string{"view"}, Env: []string{"A=b"}, Files: []*os.File{null, null}})
	want := view{
		Pid: 1, UID: 1, GID: 1, Hostname: "worker", Cwd: "/",
		Args: []string{"/view", "view"}, Env: []string{"HOME=/", "GOMAXPROCS=1", "A=b"},
		Root: []string{"dev", "view"}, Dev: []string{},
		Open: []int{0, 1, 2, 3, 4}, NoNewPrivs: 1, Securebits: stage.Securebits,
		Core: 0, Files: 64,
		WriteRoot: "open /x: read-only file system",
		WriteSelf: "open /view: permission denied",
		MountProc: "operation not permitted",
		KillHost:  "no such process",
		Loopback:  "network is unreachable",
	}
	v.Open = trim(v.Open)
	if len(v.Groups) > 0 {
		t.Errorf("has the groups %v", v.Groups)
	}
	v.Groups = nil
	got, expected := reflect.ValueOf(v), reflect.ValueOf(want)
	for i := range got.NumField() {
		if !reflect.DeepEqual(got.Field(i).Interface(), expected.Field(i).Interface()) {
			t.Errorf("%s is %v, want %v", got.Type().Field(i).Name, got.Field(i), expected.Field(i))
		}
	}
}

// trim takes the Go runtime's own descriptors away, which come after ours: an
// epoll instance and its eventfd.
func trim(open []int) []int {
	for i, fd := range open {
		if i != fd || i > 4 {
			return open[:i]
		}
	}
	return open
}

func TestIdentity(t *testing.T) {
	l := open(t)
	hold, done, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	w, r := begin(t, l, Spec{Slot: 3, Args: []string{"hold"}, Files: []*os.File{hold}})
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", w.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != w.UID || uid != 1800000000+3*4096+1 {
		t.Errorf("user id on the host is %d, Worker says %d", uid, w.UID)
	}
	if start, err := StartTime(w.Pid); start != w.StartTime || err != nil {
		t.Errorf("start time %d %v, Worker says %d", start, err, w.StartTime)
	}
	if err := w.Joined(); err != nil {
		t.Error(err)
	}
	if pids, err := w.Group.Procs(); len(pids) != 1 || pids[0] != w.Pid || err != nil {
		t.Errorf("in the control group: %v %v, want %d", pids, err, w.Pid)
	}
	if got, err := w.Group.Limits(); got != limits || err != nil {
		t.Errorf("limits %+v %v, want %+v", got, err, limits)
	}
	done.Close()
	if e := finish(t, w); e.Code != 0 || e.Signal != 0 {
		t.Errorf("ended with %+v", e)
	}
}

func TestEnds(t *testing.T) {
	for mode, want := range map[string]Ended{
		"exit":    {Code: 7},
		"crash":   {Code: 2}, // Go's runtime catches the fault and exits
		"syscall": {Signal: syscall.SIGSYS},
	} {
		t.Run(mode, func(t *testing.T) {
			w, _ := begin(t, open(t), Spec{Args: []string{mode}})
			got := finish(t, w)
			if got.Code != want.Code || got.Signal != want.Signal || got.OOM() {
				t.Errorf("ended with %+v, want %+v", got, want)
			}
			if got.Usage.CPU == 0 || got.Usage.Peak == 0 {
				t.Errorf("usage is %+v", got.Usage)
			}
		})
	}
}

func TestMemoryBombIsToldAsSuch(t *testing.T) {
	w, _ := begin(t, open(t), Spec{Args: []string{"memory"}, Limits: cgroup.Limits{Memory: 32 << 20, Pids: 32, CPU: 2}})
	if e := finish(t, w); !e.OOM() || e.Usage.Peak > 32<<20 {
		t.Errorf("ended with %+v, want out of memory", e)
	}
}

func TestForkBombStaysWithinItsLimit(t *testing.T) {
	w, r := begin(t, open(t), Spec{Args: []string{"fork"}, Limits: cgroup.Limits{Memory: 128 << 20, Pids: 40, CPU: 2}})
	if line, err := r.ReadString('\n'); err != nil || line == "0\n" {
		t.Errorf("started %q processes: %v", line, err)
	}
	if u, err := w.Group.Stat(); u.Pids > 40 || u.Pids < 30 || err != nil {
		t.Errorf("%d tasks %v, want just up to 40", u.Pids, err)
	}
	if err := w.Kill(); err != nil {
		t.Error(err)
	}
	if e := finish(t, w); e.Signal != syscall.SIGKILL || e.OOM() {
		t.Errorf("ended with %+v, want SIGKILL", e)
	}
}

func TestProcessorHogIsThrottled(t *testing.T) {
	w, r := begin(t, open(t), Spec{Args: []string{"spin"}, Limits: cgroup.Limits{Memory: 64 << 20, Pids: 32, CPU: 0.2}})
	r.ReadString('\n')
	for {
		u, err := w.Group.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if u.Throttled > 2 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.Kill()
	finish(t, w)
}

func TestFrozenAndKilled(t *testing.T) {
	w, r := begin(t, open(t), Spec{Args: []string{"spin"}})
	r.ReadString('\n')
	if err := w.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := finish(t, w); e.Signal != syscall.SIGKILL {
		t.Errorf("ended with %+v", e)
	}
}

func TestPolicyIsThatOfTheSettings(t *testing.T) {
	l := open(t)
	base := Spec{ID: "a", Args: []string{"exit"}, Limits: limits, Filter: []byte{1}}
	start := func(change func(*Spec)) Policy {
		s := base
		change(&s)
		w, _ := begin(t, l, s)
		finish(t, w)
		return w.Policy
	}
	same := start(func(s *Spec) {})
	if p := start(func(s *Spec) { s.ID = "b" }); p != same {
		t.Error("depends on the name")
	}
	for what, change := range map[string]func(*Spec){
		"limits":  func(s *Spec) { s.Limits.Pids++ },
		"filter":  func(s *Spec) { s.Filter = []byte{2} },
		"locks":   func(s *Spec) { s.Without = []lock.Name{lock.ReadOnlyRoot} },
		"user id": func(s *Spec) { s.Slot++ },
		"env":     func(s *Spec) { s.Env = []string{"A=b"} },
	} {
		if start(change) == same {
			t.Errorf("does not depend on the %s", what)
		}
	}
}

func TestRefusals(t *testing.T) {
	l := open(t)
	for what, s := range map[string]Spec{
		"up":           {ID: "..", Stderr: os.Stderr},
		"path":         {ID: "a/b", Stderr: os.Stderr},
		"empty":        {Stderr: os.Stderr},
		"slot":         {ID: "a", Slot: 64, Stderr: os.Stderr},
		"no stderr":    {ID: "a"},
		"unknown lock": {ID: "a", Stderr: os.Stderr, Without: []lock.Name{lock.Seccomp}},
		"bad file":     {ID: "a", Stderr: os.Stderr, Files: []*os.File{nil}},
	} {
		t.Run(what, func(t *testing.T) {
			if w, err := l.Start(s); err == nil {
				t.Errorf("started %+v", w)
			} else {
				t.Log(err)
			}
		})
	}
}

// Where a worker is born in its memory group it cannot be started; where it
// joins the group later, it ends there.
func TestMemoryThatIsTooLittleToStart(t *testing.T) {
	w, err := open(t).Start(Spec{ID: "a", Stderr: os.Stderr, Limits: cgroup.Limits{Memory: 4096}})
	if err != nil {
		t.Log(err)
		return
	}
	if e := finish(t, w); !e.OOM() {
		t.Errorf("ended with %+v", e)
	}
}

func TestSecondWorkerOfTheSameName(t *testing.T) {
	l := open(t)
	w, r := begin(t, l, Spec{Args: []string{"spin"}})
	r.ReadString('\n')
	if _, err := l.Start(Spec{ID: "a", Stderr: os.Stderr, Limits: limits}); err == nil {
		t.Error("started")
	}
	if pids, err := w.Group.Procs(); len(pids) == 0 {
		t.Errorf("the first one was ended: %v", err)
	}
	w.Kill()
	finish(t, w)
}

func TestManyAtOnceLeaveNothing(t *testing.T) {
	l := open(t)
	const total, at = 100, 8
	work := make(chan int)
	var wg sync.WaitGroup
	for slot := range at {
		wg.Go(func() {
			for i := range work {
				w, r := begin(t, l, Spec{ID: fmt.Sprintf("w%d", i), Slot: uint32(slot), Args: []string{"spin"}})
				if line, err := r.ReadString('\n'); line != "ready\n" {
					t.Errorf("worker %d: %q %v", i, line, err)
				}
				if i%2 == 0 {
					if err := w.Freeze(t.Context()); err != nil {
						t.Errorf("worker %d: %v", i, err)
					}
				}
				if err := w.Kill(); err != nil {
					t.Errorf("worker %d: %v", i, err)
				}
				finish(t, w)
			}
		})
	}
	for i := range total {
		work <- i
	}
	close(work)
	wg.Wait()
}

func BenchmarkStart(b *testing.B) {
	l := open(b)
	for b.Loop() {
		w, r := begin(b, l, Spec{Args: []string{"spin"}})
		r.ReadString('\n')
		b.StopTimer()
		w.Kill()
		finish(b, w)
		time.Sleep(30 * time.Millisecond) // as a user's starts come: back to back is faster
		b.StartTimer()
	}
}

// Whoever gets hold of the launching program from inside a worker's start
// cannot change it: see package stage.
func TestLaunchingProgramIsSealed(t *testing.T) {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	const all = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if seals, err := unix.FcntlInt(exe.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&all != all {
		t.Errorf("seals are %#x: %v", seals, err)
	}
}
