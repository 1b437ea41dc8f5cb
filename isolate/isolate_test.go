package isolate

import (
	"fmt"
	"os"
	"reflect"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"golang.org/x/sys/unix"
)

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
	if got, err := w.Group.Limits(); got.Memory != limits.Memory || got.Pids != limits.Pids || got.CPU != limits.CPU || err != nil {
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
	if e := finish(t, w); !e.OOM() || e.Usage.Peak > 33<<20 { // version 2 lets the kernel's own pages go a little over
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
