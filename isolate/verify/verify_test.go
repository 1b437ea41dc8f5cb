package verify

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

func TestEveryLockIsLookedAt(t *testing.T) {
	var have []lock.Name
	for _, c := range checks {
		have = append(have, c.name)
	}
	var want []lock.Name
	for _, info := range lock.All() {
		want = append(want, info.Name)
	}
	if !slices.Equal(have, want) {
		t.Errorf("looked at %v, want %v", have, want)
	}
}

func TestMountsAreRead(t *testing.T) {
	got := parseMounts("27 1 0:52 / / ro,nosuid - tmpfs none rw,size=64k\n" +
		"28 27 0:5 /x /with\\040blank rw,nodev shared:4 master:1 - ext4 /dev/vda rw\n" +
		"short\n")
	if len(got) != 3 || got[0].kind != "tmpfs" || got[1].point != `/with\040blank` || got[2].kind != "unreadable" {
		t.Fatalf("read %+v", got)
	}
	if lacks := got[0].lacks("ro", "nosuid", "nodev"); !slices.Equal(lacks, []string{"nodev"}) {
		t.Errorf("lacks %v", lacks)
	}
}

func TestStartTimeOfAHostileName(t *testing.T) {
	stat := []byte("7 (a) S 1 (x)) R 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 4711 22 23\n")
	if ticks, state, err := startTime(stat); ticks != 4711 || state != 'R' || err != nil {
		t.Errorf("%d %c %v", ticks, state, err)
	}
	for _, bad := range []string{"", "7 (a", "7 (a) R 1 2"} {
		if _, _, err := startTime([]byte(bad)); err == nil {
			t.Errorf("read %q", bad)
		}
	}
}

func TestLimitsAreRead(t *testing.T) {
	b, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		t.Fatal(err)
	}
	hard := parseLimits(string(b))
	if len(hard) != 16 || hard["Max open files"] == "" || hard["Max msgqueue size"] == "" {
		t.Errorf("read %v", hard)
	}
}

func TestInterfacesAreRead(t *testing.T) {
	table := "Inter-|   Receive\n face |bytes\n    lo:       0       0\n  eth0: 7 7\n"
	if got := interfaces(table); !slices.Equal(got, []string{"lo", "eth0"}) {
		t.Errorf("read %v", got)
	}
}

func TestThreadsThatDiffer(t *testing.T) {
	v := &view{tasks: []map[string]string{{"Seccomp": "2"}, {"Seccomp": "0"}}}
	if value, same := v.every("Seccomp"); same {
		t.Errorf("%q is said of every thread", value)
	}
}

// Ourselves are the positive control: nothing of the host is taken for a lock.
func TestThisProcessIsNotLocked(t *testing.T) {
	v := &view{dir: "/proc/self/"}
	for _, kind := range []string{"user", "pid", "mnt", "ipc", "uts", "cgroup"} {
		if _, found, ok := namespace(kind)(v); ok {
			t.Errorf("our %s is taken for another", found)
		}
	}
	if _, found, ok := root(v); ok {
		t.Errorf("our root is taken for a worker's: %s", found)
	}
	if _, found, ok := network(v); ok {
		t.Errorf("our network is taken for a worker's: %s", found)
	}
}

// A lock that the kernel does not have is shown as that, and is made up for by
// the filter alone.
func TestLockThatTheKernelLacks(t *testing.T) {
	filtered := []map[string]string{{"Seccomp": "2", "Seccomp_filters": "1"}}
	open := []map[string]string{{"Seccomp": "0", "Seccomp_filters": "0"}}
	tests := []struct {
		inKernel bool
		tasks    []map[string]string
		ok       bool
		found    string
	}{
		{true, filtered, true, "proven by the worker before its filter, which is on; not shown by the kernel"},
		{true, open, false, "not shown by the kernel; the worker proves it before its filter, which is missing: mode 0, 0 filters, on 1 threads"},
		{false, filtered, true, "not in this kernel; the filter refuses PROT_EXEC"},
		{false, open, false, "not in this kernel, and the filter, which would do instead, is missing: mode 0, 0 filters, on 1 threads"},
	}
	for _, c := range checks {
		if c.name != lock.MDWE {
			continue
		}
		for _, test := range tests {
			v := &view{tasks: test.tasks, inKernel: func(lock.Name) bool { return test.inKernel }}
			if _, found, ok := c.look(v); ok != test.ok || found != test.found {
				t.Errorf("in the kernel %v, %v: %q, %v", test.inKernel, test.tasks, found, ok)
			}
		}
	}
}

// A worker that loads code has MDWE to come until every thread has the filter
// that follows it.
func TestLockToCome(t *testing.T) {
	thread := func(n int) map[string]string {
		return map[string]string{"Seccomp": "2", "Seccomp_filters": strconv.Itoa(inherited() + n)}
	}
	for _, test := range []struct {
		what  string
		code  *Code
		tasks []map[string]string
		later bool
	}{
		{"no code", nil, []map[string]string{thread(1)}, false},
		{"before", &Code{Filters: 2}, []map[string]string{thread(1), thread(1)}, true},
		{"one thread without", &Code{Filters: 2}, []map[string]string{thread(2), thread(1)}, true},
		{"after", &Code{Filters: 2}, []map[string]string{thread(2), thread(2)}, false},
		{"unreadable", &Code{Filters: 2}, []map[string]string{{}}, true},
	} {
		v := &view{Subject: Subject{Code: test.code}, tasks: test.tasks}
		if got := v.loading(); got != test.later {
			t.Errorf("%s: %v, want %v", test.what, got, test.later)
		}
	}
}
