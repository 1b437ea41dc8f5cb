package cgroup

import (
	"testing"
	"time"
)

func sample(t testing.TB, g *Group) Sample {
	t.Helper()
	s, err := g.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSampleOfAnEmptyGroup(t *testing.T) {
	s := sample(t, create(t, place(t), "a", Limits{Memory: 32 << 20}))
	if s.Pids != 0 || s.Frozen || s.OOMKills != 0 || s.Stalled != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestSampleCountsABusyProgram(t *testing.T) {
	g := create(t, place(t), "a", Limits{Memory: 64 << 20, Pids: 32, CPU: 0.2})
	shell(t, g, "while :; do /bin/true; done")
	first := sample(t, g)
	for {
		s := sample(t, g)
		if s.CPU > first.CPU && s.Periods > first.Periods && s.Throttled > first.Throttled && s.Faults > first.Faults {
			if s.Memory == 0 || s.Peak < s.Memory/2 || s.Pids == 0 {
				t.Errorf("got %+v", s)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestSampleTellsFrozen(t *testing.T) {
	g := create(t, place(t), "a", Limits{})
	shell(t, g, "sleep 60")
	for _, frozen := range []bool{true, false} {
		if err := g.freeze(within(t, 5*time.Second), frozen); err != nil {
			t.Fatal(err)
		}
		if s := sample(t, g); s.Frozen != frozen {
			t.Errorf("frozen is %v, want %v", s.Frozen, frozen)
		}
	}
}

func TestSampleOfAGroupThatIsGone(t *testing.T) {
	if _, err := place(t).Group("never-made").Sample(); !gone(err) {
		t.Errorf("got %v, want that the group is gone", err)
	}
}

func TestStalledReadsThePressureFile(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n": 1500 * time.Microsecond,
		"some total=0\n": 0,
	} {
		s := sampler{dirs: map[string]string{"": files(t, map[string]string{"memory.pressure": text})}, buf: make([]byte, 1<<10)}
		if got := s.stalled(); got != want || s.err != nil {
			t.Errorf("%q: got %v %v, want %v", text, got, s.err, want)
		}
	}
	s := sampler{dirs: map[string]string{"": files(t, map[string]string{"memory.pressure": "full total=1\n"})}, buf: make([]byte, 1<<10)}
	if s.stalled(); s.err == nil {
		t.Error("a file of another form is read without an error")
	}
}

func BenchmarkSample(b *testing.B) {
	g := create(b, place(b), "a", Limits{Memory: 64 << 20, Pids: 32, CPU: 1})
	shell(b, g, "sleep 60")
	for b.Loop() {
		if _, err := g.Sample(); err != nil {
			b.Fatal(err)
		}
	}
}
