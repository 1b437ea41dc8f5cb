package cgroup

import (
	"strings"
	"testing"
)

const hybrid = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:4 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:36 / /mnt/pids-again rw,relatime - cgroup cgroup rw,pids
`

func TestPlacesInAHybridContainer(t *testing.T) {
	mounts, err := parseMounts(strings.NewReader(hybrid))
	if err != nil {
		t.Fatal(err)
	}
	l := &layout{mode: Hybrid, own: map[string]string{}}
	own := map[string]string{"memory": "/docker/1/service", "pids": "/", "cpu": "/a/b", "cpuacct": "/a/b"}
	if err := l.place(mounts, own, "/user.slice"); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[string]string{
		"memory":  "/sys/fs/cgroup/memory/service",
		"pids":    "/sys/fs/cgroup/pids",
		"cpu":     "/sys/fs/cgroup/cpu/a/b",
		"cpuacct": "/sys/fs/cgroup/cpuacct/a/b",
	} {
		if l.own[c] != want {
			t.Errorf("%s is at %s, want %s", c, l.own[c], want)
		}
	}
	if l.unified != "/sys/fs/cgroup/unified/user.slice" {
		t.Errorf("unified is at %s", l.unified)
	}
}

func TestMissingControllerIsNamed(t *testing.T) {
	mounts, err := parseMounts(strings.NewReader(strings.Replace(hybrid, "rw,memory", "rw,blkio", 1)))
	if err != nil {
		t.Fatal(err)
	}
	l := &layout{mode: Hybrid, own: map[string]string{}}
	err = l.place(mounts, map[string]string{"memory": "/"}, "/")
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v, want an error that names memory", err)
	}
}

func TestGroupOutsideOfItsMount(t *testing.T) {
	m := mount{point: "/sys/fs/cgroup/memory", root: "/docker/1"}
	if got := m.inside("/elsewhere"); got != "/" {
		t.Errorf("got %s", got)
	}
}

func TestQuota(t *testing.T) {
	for cpu, want := range map[float64]int64{1: 300000, 0.5: 150000, 0.05: 15000, 0.0001: 1000, 64: 19200000} {
		if got := (Limits{CPU: cpu}).quota(); got != want {
			t.Errorf("quota of %g processors: %d, want %d", cpu, got, want)
		}
	}
}
