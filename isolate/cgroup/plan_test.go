package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files makes a directory that looks like a group to whoever only reads it.
func files(t testing.TB, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// text shows what a plan would write.
func (p *plan) text() string {
	var out []string
	for _, s := range p.settings {
		out = append(out, s.name+"="+s.value)
	}
	return strings.Join(out, "\n")
}

func TestPlanForVersion2(t *testing.T) {
	dir := files(t, map[string]string{"memory.swap.max": "max", "io.max": "8:0 rbps=1 wbps=max riops=max wiops=max\n", "io.weight": "default 100\n"})
	for _, c := range []struct {
		name  string
		fresh bool
		l     Limits
		want  []string
	}{
		{"fresh without limits", true, Limits{}, nil},
		{"all taken away", false, Limits{}, []string{
			"memory.swap.max=max", "memory.max=max", "memory.high=max", "pids.max=max", "cpu.max=max",
			"cpu.weight=100", "io.max=8:0 rbps=max wbps=max", "io.weight=100"}},
		{"set", true, Limits{Memory: 2, MemorySoft: 1, Pids: 3, CPU: 0.5, CPUWeight: 7, IOWeight: 10000}, []string{
			"memory.swap.max=0", "memory.max=2", "memory.high=1", "memory.oom.group=1", "pids.max=3",
			"cpu.max=150000 300000", "cpu.weight=7", "io.weight=10000"}},
	} {
		p := plan{group: &Group{l: &layout{mode: Unified}, dirs: map[string]string{"": dir}}, fresh: c.fresh}
		p.limits2(c.l)
		if got, want := p.text(), strings.Join(c.want, "\n"); got != want || p.err != nil {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, p.err, got, want)
		}
	}
}

func TestPlanForVersion1(t *testing.T) {
	blkioFiles := map[string]string{throttles1[0]: "8:0 5\n", throttles1[1]: "", "blkio.bfq.weight": "100\n"}
	memory := map[string]string{"memory.limit_in_bytes": "100", "memory.memsw.limit_in_bytes": "100", "memory.swappiness": "60"}
	for _, c := range []struct {
		name  string
		fresh bool
		l     Limits
		want  []string
	}{
		{"fresh without limits", true, Limits{}, nil},
		{"all taken away", false, Limits{}, []string{
			"memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=-1", "memory.soft_limit_in_bytes=-1", "pids.max=max",
			"cpu.cfs_quota_us=-1", "cpu.shares=1024", "blkio.throttle.read_bps_device=8:0 0", "blkio.bfq.weight=100"}},
		{"up", true, Limits{Memory: 200, MemorySoft: 1, Pids: 3, CPU: 0.5, CPUWeight: 50, IOWeight: 10000}, []string{
			"memory.memsw.limit_in_bytes=200", "memory.limit_in_bytes=200", "memory.swappiness=0", "memory.soft_limit_in_bytes=1", "pids.max=3",
			"cpu.cfs_period_us=300000", "cpu.cfs_quota_us=150000", "cpu.shares=512", "blkio.bfq.weight=1000"}},
		{"down", true, Limits{Memory: 50}, []string{
			"memory.limit_in_bytes=50", "memory.memsw.limit_in_bytes=50", "memory.swappiness=0"}},
	} {
		p := plan{fresh: c.fresh, group: &Group{l: &layout{mode: Hybrid}, dirs: map[string]string{
			"memory": files(t, memory), "cpu": t.TempDir(), "pids": t.TempDir(), blkio: files(t, blkioFiles)}}}
		p.limits1(c.l)
		if got, want := p.text(), strings.Join(c.want, "\n"); got != want || p.err != nil {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, p.err, got, want)
		}
	}
}

func TestWhatIsMissingIsNamedIfAskedFor(t *testing.T) {
	full := map[string]string{"io.max": "", "io.weight": "default 100\n"}
	for _, c := range []struct {
		mode  Mode
		files map[string]string // of the unified group, or of blkio; nil if there is no such controller
		l     Limits
		want  string
	}{
		{Unified, nil, Limits{}, ""},
		{Unified, nil, Limits{IORate: 1 << 20}, "io"},
		{Unified, nil, Limits{IOWeight: 50}, "io"},
		{Unified, map[string]string{"io.max": ""}, Limits{IOWeight: 50}, "io.weight"},
		{Unified, full, Limits{IORate: 1 << 20, IOWeight: 50}, ""},
		{Hybrid, nil, Limits{}, ""},
		{Hybrid, nil, Limits{IORate: 1 << 20}, "blkio"},
		{Hybrid, nil, Limits{IOWeight: 50}, "blkio"},
		{Hybrid, map[string]string{throttles1[0]: "", throttles1[1]: ""}, Limits{IOWeight: 50}, "blkio.bfq.weight"},
	} {
		g := &Group{l: &layout{mode: c.mode}, dirs: map[string]string{}}
		switch {
		case c.mode == Unified:
			g.dirs[""] = files(t, c.files)
		case c.files != nil:
			g.dirs[blkio] = files(t, c.files)
		}
		p := plan{group: g, fresh: true}
		if c.mode == Unified {
			p.io2(c.l)
		} else {
			p.io1(c.l)
		}
		var missing *MissingError
		got := ""
		if errors.As(p.err, &missing) {
			got = missing.Controller
		}
		if got != c.want || (p.err != nil) != (c.want != "") {
			t.Errorf("%v, files %v, %+v: got %v, want %q missing", c.mode, slices.Collect(maps.Keys(c.files)), c.l, p.err, c.want)
		}
	}
}

func TestEachWeightHasSharesOfItsOwn(t *testing.T) {
	for w := int64(1); w <= 10000; w++ {
		if got := weight(uint64(shares(w))); got != w {
			t.Fatalf("weight %d has %d shares, which are weight %d", w, shares(w), got)
		}
	}
	if shares(1) < 2 || shares(10000) > 1<<18 {
		t.Error("the kernel takes 2 to 262144 shares")
	}
}

func TestWhichDisksAreReal(t *testing.T) {
	sys := t.TempDir()
	for name, attributes := range map[string]map[string]string{
		"vda":       {"dev": "254:0\n", "size": "100\n"},
		"nvme0n1":   {"dev": "259:0\n", "size": "100\n"},
		"nvme0c0n1": {"size": "100\n"}, // a hidden path to the one before
		"dm-0":      {"dev": "253:0\n", "size": "100\n", "slaves/vda": ""},
		"loop0":     {"dev": "7:0\n", "size": "100\n"},
		"zram0":     {"dev": "252:0\n", "size": "100\n"},
		"ram0":      {"dev": "1:0\n", "size": "100\n"},
		"sr0":       {"dev": "11:0\n", "size": "0\n"}, // no medium
	} {
		for a, text := range attributes {
			path := filepath.Join(sys, name, a)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := realDisks(sys)
	if want := "[259:0 254:0]"; fmt.Sprint(got) != want || err != nil {
		t.Errorf("got %v %v, want %s", got, err, want)
	}
}
