package cgroup

import (
	"errors"
	"maps"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func setLimits(t testing.TB, g *Group, l Limits) {
	t.Helper()
	if err := g.SetLimits(l); err != nil {
		t.Fatal(err)
	}
}

// weighed reports whether the layout has a weight for disks.
func (g *Group) weighed(t *testing.T) bool {
	w, err := g.ioWeight()
	if err != nil {
		t.Fatal(err)
	}
	return w > 0
}

func TestLimitsAreReadBackAsSet(t *testing.T) {
	g := create(t, place(t), "a", Limits{Memory: 32 << 20, Pids: 20, CPU: 0.5})
	shell(t, g, "sleep 60")
	heavy, light := int64(0), int64(0)
	if g.weighed(t) {
		heavy, light = 1000, 1
	}
	for _, want := range []Limits{
		{Memory: 32 << 20, Pids: 20, CPU: 0.5, CPUWeight: 100},
		{Memory: 64 << 20, MemorySoft: 48 << 20, Pids: 40, CPU: 2, CPUWeight: 10000, IOWeight: heavy}, // up
		{Memory: 16 << 20, MemorySoft: 8 << 20, Pids: 10, CPU: 0.05, CPUWeight: 1, IOWeight: light},
		{}, // all taken away
		{Memory: 16 << 20, Pids: 10, CPU: 0.05, CPUWeight: 3},
	} {
		setLimits(t, g, want)
		if want.CPUWeight == 0 {
			want.CPUWeight = usual // as the kernel has it
		}
		if want.IOWeight == 0 && heavy > 0 {
			want.IOWeight = usual
		}
		got, err := g.Limits()
		if err != nil || got != want {
			t.Errorf("got %+v %v, want %+v", got, err, want)
		}
	}
}

func TestMemoryMayNotSwap(t *testing.T) {
	g := create(t, place(t), "a", Limits{Memory: 32 << 20})
	hierarchy, name, want := "memory", "memory.swappiness", uint64(0)
	if g.Mode() == Unified {
		hierarchy, name = "", "memory.swap.max"
	}
	if got, err := number(g.dirs[hierarchy], name); got != want || err != nil {
		t.Errorf("%s is %d %v, want %d", name, got, err, want)
	}
}

func TestCreateNamesAMissingControllerAndLeavesNothing(t *testing.T) {
	p := place(t)
	if p.Mode() == Unified {
		t.Skip("version 2 has one directory for all controllers: see TestWhatIsMissingIsNamedIfAskedFor")
	}
	p.base = maps.Clone(p.base)
	delete(p.base, blkio)
	var missing *MissingError
	if _, err := p.Create("a", Limits{IORate: 1 << 20}); !errors.As(err, &missing) || missing.Controller != blkio {
		t.Errorf("got %v, want that blkio is missing", err)
	}
	if p.Group("a").Exists() {
		t.Error("left a group behind")
	}
	g := create(t, p, "b", Limits{Pids: 8})
	if err := g.SetLimits(Limits{IOWeight: 10}); !errors.As(err, &missing) {
		t.Errorf("live: got %v, want that blkio is missing", err)
	}
}

// The heavier of two programs on one processor gets most of it.
func TestProcessorWeight(t *testing.T) {
	p := place(t)
	var groups []*Group
	for name, w := range map[string]int64{"light": 10, "heavy": 1000} {
		g := create(t, p, name, Limits{CPUWeight: w})
		pid, _ := shell(t, g, "while :; do :; done")
		if err := unix.SchedSetaffinity(pid, &unix.CPUSet{1}); err != nil {
			t.Fatal(err)
		}
		if w == 1000 {
			groups = append([]*Group{g}, groups...)
		} else {
			groups = append(groups, g)
		}
	}
	start := []time.Duration{sample(t, groups[0]).CPU, sample(t, groups[1]).CPU}
	for {
		heavy, light := sample(t, groups[0]).CPU-start[0], sample(t, groups[1]).CPU-start[1]
		if heavy+light > time.Second {
			if heavy < 4*light {
				t.Errorf("the heavy one used %v, the light one %v", heavy, light)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A limit below what is in use, and cannot be taken back, is refused with how
// much that is, and leaves the group and its processes alone.
func TestMemoryLimitBelowUse(t *testing.T) {
	p := place(t)
	if p.Mode() == Unified {
		t.Skip("version 2 does not refuse: it ends processes until the rest fits, see TestMemoryLimitIsChangedLive")
	}
	g := create(t, p, "a", Limits{Memory: 128 << 20})
	ready := t.TempDir() + "/ready"
	pid, _ := shell(t, g, "a=xxxxxxxx; i=0; while [ $i -lt 22 ]; do a=$a$a; i=$((i+1)); done; : > "+ready+"; while :; do sleep 60; done")
	ctx := within(t, 30*time.Second)
	for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
		if ctx.Err() != nil {
			t.Fatal("it does not come to hold memory")
		}
		time.Sleep(10 * time.Millisecond)
	}
	var refused *InUseError
	if err := g.SetLimits(Limits{Memory: 8 << 20}); !errors.As(err, &refused) || refused.Used < 32<<20 || refused.Limit != "8388608" {
		t.Errorf("got %v", err)
	} else {
		t.Log(err)
	}
	if err := unix.Kill(pid, 0); err != nil || sample(t, g).OOMKills > 0 {
		t.Errorf("the program: %v", err)
	}
	setLimits(t, g, Limits{Memory: 128 << 20})
}

// A memory hog ends at the limit; with the limit taken away while it waits,
// it does not.
func TestMemoryLimitIsChangedLive(t *testing.T) {
	const hog = "a=xxxxxxxx; i=0; while [ $i -lt 22 ]; do a=$a$a; i=$((i+1)); done; exit 7" // 32 MiB, held more than once
	p := place(t)
	for name, lifted := range map[string]bool{"held": false, "lifted": true} {
		g := create(t, p, name, Limits{Memory: 16 << 20})
		hold := t.TempDir() + "/go"
		_, done := shell(t, g, "while ! [ -e "+hold+" ]; do sleep 0.05; done; "+hog)
		if lifted {
			setLimits(t, g, Limits{})
		}
		if err := os.WriteFile(hold, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		<-done
		if s := sample(t, g); s.OOMKills > 0 == lifted {
			t.Errorf("limit lifted: %v; %d killed for memory", lifted, s.OOMKills)
		}
	}
}
