package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// place gives a Parent of this test's own and removes it afterwards.
func place(t testing.TB) *Parent {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes control groups")
	}
	p, err := Own(fmt.Sprintf("mpsupervisor-test/%s-%d", strings.ToLower(t.Name()), os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		names, err := p.Names()
		if err != nil || len(names) > 0 {
			t.Errorf("left behind: %v %v", names, err)
		}
		if err := p.Remove(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func create(t testing.TB, p *Parent, name string, l Limits) *Group {
	t.Helper()
	g, err := p.Create(name, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Kill(context.Background()); err != nil {
			t.Error(err)
		}
		if err := g.Delete(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// shell starts a shell inside the group and in nothing else. It is reaped as
// soon as it ends; done is closed then.
func shell(t testing.TB, g *Group, script string) (pid int, done chan struct{}) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	if err := g.Inside(cmd.Start); err != nil {
		t.Fatal(err)
	}
	done = make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
	})
	if err := g.Add(cmd.Process.Pid, ""); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, done
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestCreateRefusesWhatExists(t *testing.T) {
	p := place(t)
	create(t, p, "a", Limits{})
	if _, err := p.Create("a", Limits{}); !os.IsExist(unwrap(err)) {
		t.Errorf("second group of the same name: %v", err)
	}
	if !p.Group("a").Exists() {
		t.Error("the refused creation removed the first group")
	}
}

func unwrap(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, ok := err.(*os.PathError); ok {
			return err
		}
		err = u.Unwrap()
	}
}

func TestInsideStartsThereAndComesHome(t *testing.T) {
	g := create(t, place(t), "a", Limits{})
	before, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := shell(t, g, "sleep 60")
	pids, err := g.Procs()
	if err != nil || len(pids) != 1 && len(pids) != 2 || pids[0] != pid {
		t.Errorf("processes in the group: %v %v, want %d and its child", pids, err, pid)
	}
	for _, h := range g.hierarchies() {
		if in, _ := procs(g.dirs[h]); len(in) == 0 {
			t.Errorf("nothing in hierarchy %q", h)
		}
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/cgroup")
	for _, task := range tasks {
		after, err := os.ReadFile(task)
		if err == nil && string(after) != string(before) {
			t.Errorf("%s stayed in\n%s", task, after)
		}
	}
}

func TestKillEndsEverything(t *testing.T) {
	g := create(t, place(t), "a", Limits{Pids: 64})
	shell(t, g, "sleep 60 & sleep 60 & (sleep 60 & sleep 60) & wait")
	if err := g.Kill(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if pids, err := g.Procs(); len(pids) != 0 || err != nil {
		t.Errorf("left: %v %v", pids, err)
	}
}

func TestKillOfNothing(t *testing.T) {
	if err := place(t).Group("never-made").Kill(within(t, time.Second)); err != nil {
		t.Error(err)
	}
}

func TestFreezeStopsAndThawGoesOn(t *testing.T) {
	g := create(t, place(t), "a", Limits{})
	shell(t, g, "while :; do :; done")
	if err := g.Freeze(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if frozen, err := g.Frozen(); !frozen || err != nil {
		t.Errorf("frozen: %v %v", frozen, err)
	}
	before, _ := g.Stat()
	time.Sleep(50 * time.Millisecond)
	after, _ := g.Stat()
	if after.CPU != before.CPU {
		t.Errorf("used %v while frozen", after.CPU-before.CPU)
	}
	if err := g.Thaw(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	for last := after.CPU; last == after.CPU; {
		u, err := g.Stat()
		if err != nil {
			t.Fatal(err)
		}
		last = u.CPU
	}
}

func TestKillReachesTheFrozen(t *testing.T) {
	g := create(t, place(t), "a", Limits{})
	shell(t, g, "sleep 60 & sleep 60")
	if err := g.Freeze(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := g.Kill(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
}

func TestMemoryLimitKillsAndIsCounted(t *testing.T) {
	g := create(t, place(t), "a", Limits{Memory: 16 << 20})
	_, done := shell(t, g, "a=xxxxxxxx; while :; do a=$a$a; done")
	<-done
	u, err := g.Stat()
	if err != nil || u.OOMKills == 0 {
		t.Errorf("usage %+v %v, want an OOM kill", u, err)
	}
	if u.Peak == 0 || u.Peak > 17<<20 { // version 2 lets the kernel's own pages go a little over
		t.Errorf("peak %d, want about the limit", u.Peak)
	}
}

func TestPidsLimitHolds(t *testing.T) {
	g := create(t, place(t), "a", Limits{Pids: 8})
	shell(t, g, "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 60 & done; wait")
	for range 50 {
		u, err := g.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if u.Pids > 8 {
			t.Fatalf("%d tasks, limit 8", u.Pids)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestProcessorLimitHoldsBack(t *testing.T) {
	g := create(t, place(t), "a", Limits{CPU: 0.05})
	shell(t, g, "while :; do :; done")
	for {
		u, err := g.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if u.Throttled > 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRemoveKeepsWhatIsInUse(t *testing.T) {
	p := place(t)
	g := create(t, p, "a", Limits{})
	if err := p.Remove(); err != nil {
		t.Fatal(err)
	}
	if !g.Exists() {
		t.Error("removed a place with a group in it")
	}
}

func BenchmarkCreateStatDelete(b *testing.B) {
	p := place(b)
	for b.Loop() {
		g, err := p.Create("a", Limits{Memory: 64 << 20, Pids: 32, CPU: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Delete(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStat(b *testing.B) {
	g := create(b, place(b), "a", Limits{Memory: 64 << 20})
	for b.Loop() {
		if _, err := g.Stat(); err != nil {
			b.Fatal(err)
		}
	}
}

// A process that has settled is beside its groups, and goes back to where it
// came from.
func TestSettle(t *testing.T) {
	p, err := Own(fmt.Sprintf("mpsupervisor-test/settle-%d", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	at := func() string {
		l, err := detect()
		if err != nil {
			t.Fatal(err)
		}
		return l.unified
	}
	before := at()
	leave, err := p.Settle()
	if err != nil {
		t.Fatal(err)
	}
	if p.l.mode != Legacy && at() != filepath.Join(p.dir(""), home) {
		t.Errorf("settled in %s", at())
	}
	if names, err := p.Names(); err != nil || len(names) != 0 {
		t.Errorf("%v, %v among the workers", names, err)
	}
	if err := errors.Join(leave(), p.Remove()); err != nil {
		t.Error(err)
	}
	if after := at(); after != before {
		t.Errorf("from %s it came back to %s", before, after)
	}
}

// Launchers share the upper part of their places, and each removes what is
// empty when it ends.
func TestPlacesAreMadeWhileOthersRemoveThem(t *testing.T) {
	shared := fmt.Sprintf("mpsupervisor-test/shared-%d", os.Getpid())
	parent, err := Own(shared)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			p := parent.Child(fmt.Sprintf("lane-%d", n))
			for range 100 {
				if err := errors.Join(p.make(), p.Remove()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
