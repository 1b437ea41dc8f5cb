package probe

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock/locktest"
)

// childName and denied are how the test binary starts itself as a child, and
// as one on a kernel that lacks a system call.
const (
	childName = "PROBE_TEST_CHILD"
	denied    = "PROBE_TEST_DENIED" // the call's number, or noMDWE
	noMDWE    = "mdwe"              // the kernel has prctl, and not MDWE
)

func TestMain(m *testing.M) {
	name, ok := os.LookupEnv(childName)
	if !ok {
		os.Exit(m.Run())
	}
	if number, err := strconv.ParseUint(os.Getenv(denied), 10, 32); err == nil {
		if err := installFor(uint32(number), unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)); err != nil {
			panic(err)
		}
	}
	if os.Getenv(denied) == noMDWE {
		if err := locktest.HideMDWE(); err != nil {
			panic(err)
		}
	}
	os.Exit(Child(name, os.Stdout))
}

func options(extra ...string) Options {
	return Options{UIDBase: 1_900_000_000, UIDs: 4096, Child: func(ctx context.Context, name string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "/proc/self/exe")
		cmd.Env = append(extra, childName+"="+name, "GOCOVERDIR="+os.TempDir(), "GORACE=atexit_sleep_ms=0")
		return cmd
	}}
}

// TestHost expects a host on which the project can be worked on: what is
// required is there.
func TestHost(t *testing.T) {
	results := Host(context.Background(), options())
	found, unknown := All(results)
	for _, r := range results {
		t.Logf("%-14s %-28s %-16s %s", r.Group, r.Name, r.Status, r.Found)
		if r.For == "" || r.Found == "" {
			t.Errorf("%s: nothing is said about it: %+v", r.Name, r)
		}
		if (r.Status == OK) != (r.Get == "") {
			t.Errorf("%s: status %s, and to get it: %q", r.Name, r.Status, r.Get)
		}
	}
	if os.Geteuid() != 0 {
		t.Skipf("needs root to expect everything; %d could not be looked at", unknown)
	}
	if !found {
		t.Error("this host lacks something that is required")
	}
	for _, r := range results {
		if r.Group == nativePrograms && r.Status != OK {
			t.Errorf("this host cannot have native programs: %+v", r)
		}
	}
}

// TestWithoutSystemCall shows that a probe fails on a kernel that does not have
// what it probes.
func TestWithoutSystemCall(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: some of the probes do")
	}
	for name, number := range map[string]int{
		"no_new_privs": unix.SYS_PRCTL,
		"securebits":   unix.SYS_PRCTL,
		"keyring":      unix.SYS_KEYCTL,
		"landlock":     unix.SYS_LANDLOCK_RESTRICT_SELF,
		"mdwe":         unix.SYS_PRCTL,
		"seccomp":      unix.SYS_SECCOMP,
		"seccomp-kill": unix.SYS_SECCOMP,
		"overlayfs":    unix.SYS_MOUNT,
		"devices":      unix.SYS_MKNODAT,
	} {
		err := inChild(context.Background(), options(denied+"="+strconv.Itoa(number)), name, nil)
		if err == nil || !strings.Contains(err.Error(), unix.ENOSYS.Error()) && !strings.Contains(err.Error(), "errno 38") {
			t.Errorf("%s without system call %d: %v", name, number, err)
		}
		err = inChild(context.Background(), options(), name, nil)
		if signal, killed := endedBy(err); name == "seccomp-kill" {
			if !killed || signal != syscall.SIGSYS {
				t.Errorf("%s: %v, want SIGSYS", name, err)
			}
		} else if err != nil && lock.InKernel(lock.Name(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A kernel that does not have MDWE can do without it. One that has it and
// refuses it cannot.
func TestMDWE(t *testing.T) {
	var mdwe feature
	for _, f := range locks {
		if f.name == string(lock.MDWE) {
			mdwe = f
		}
	}
	tests := []struct {
		denied   string
		status   Status
		required bool
		found    string
	}{
		{noMDWE, OptionalMissing, false, "not in this kernel; the filter refuses PROT_EXEC"},
		{strconv.Itoa(unix.SYS_PRCTL), Missing, true, unix.ENOSYS.Error()},
	}
	if lock.InKernel(lock.MDWE) {
		tests = append(tests, tests[1])
		tests[2].denied, tests[2].status, tests[2].found = "", OK, "refuses to make data executable"
	}
	for _, test := range tests {
		r := mdwe.result(mdwe.try(context.Background(), options(denied+"="+test.denied)))
		if r.Status != test.status || r.Required != test.required || r.Found != test.found || (r.Get == "") != (r.Status == OK) {
			t.Errorf("denied %q: %+v, want %+v", test.denied, r, test)
		}
	}
}

func TestChildOfNoName(t *testing.T) {
	if err := inChild(context.Background(), options(), "other", nil); err == nil {
		t.Error("a child of an unknown name: no error")
	}
}

func TestNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it starts a child as somebody else")
	}
	cmd := options().Child(context.Background(), "securebits")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Run(); err == nil {
		t.Error("securebits by somebody else: no error")
	}
}

func TestResult(t *testing.T) {
	f := feature{group: "g", name: "n", purpose: "p", get: "how"}
	tests := []struct {
		optional bool
		found    finding
		want     Status
		get      string
	}{
		{false, there("x"), OK, ""},
		{false, absent("x"), Missing, "how"},
		{true, absent("x"), OptionalMissing, "how"},
		{true, there("x"), OK, ""},
		{false, onlyRoot(), NeedsRoot, "run it as root to see"},
	}
	for _, tt := range tests {
		f.optional = tt.optional
		if r := f.result(tt.found); r.Status != tt.want || r.Get != tt.get || r.Required == tt.optional {
			t.Errorf("%+v gave %+v", tt, r)
		}
	}
}

func TestAll(t *testing.T) {
	tests := []struct {
		results []Result
		found   bool
		unknown int
	}{
		{[]Result{{Required: true, Status: OK}, {Status: OptionalMissing}}, true, 0},
		{[]Result{{Required: true, Status: OK}, {Required: true, Status: Missing}}, false, 0},
		{[]Result{{Required: true, Status: NeedsRoot}, {Status: NeedsRoot}}, false, 1},
	}
	for _, tt := range tests {
		if found, unknown := All(tt.results); found != tt.found || unknown != tt.unknown {
			t.Errorf("%+v: %v, %d", tt.results, found, unknown)
		}
	}
}

func TestLockNames(t *testing.T) {
	for _, table := range [][]feature{namespaces, groups, locks} {
		for _, f := range table {
			if f.purpose == "keeps a worker from " {
				t.Errorf("%s is not a lock that package lock describes", f.name)
			}
		}
	}
	if _, ok := lock.Lookup("no such lock"); ok {
		t.Error("package lock describes anything")
	}
}

func TestParseVersion(t *testing.T) {
	for release, want := range map[string][2]int{"6.1.0-13-amd64": {6, 1}, "6.18.44-fc": {6, 18}, "7.0-rc1": {7, 0}, "10.2": {10, 2}} {
		major, minor, err := parseVersion(release)
		if err != nil || major != want[0] || minor != want[1] {
			t.Errorf("%q: %d.%d, %v", release, major, minor, err)
		}
	}
	for _, release := range []string{"", "6", "x.1", "6.x"} {
		if _, _, err := parseVersion(release); err == nil {
			t.Errorf("%q: no error", release)
		}
	}
}

func TestLayout(t *testing.T) {
	const (
		memory  = "31 25 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
		cpu     = "32 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		systemd = "33 25 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		unified = "34 25 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		other   = "20 1 8:1 / / rw - ext4 /dev/sda1 rw,memory\n"
	)
	for text, want := range map[string]string{
		memory + cpu + systemd + unified: "hybrid", memory + cpu + systemd: "v1",
		other + unified: "v2", systemd + unified: "v2", other + systemd: "none", "": "none", "- cgroup\n": "none",
	} {
		if got := readHierarchies(strings.NewReader(text)).layout(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if h := readHierarchies(strings.NewReader(cpu)); h.v1["cpuacct"] != "/sys/fs/cgroup/cpu,cpuacct" {
		t.Errorf("%+v", h)
	}
}

func TestFileThatNoGroupHas(t *testing.T) {
	if f := file("no_such_controller", "x", "x")(context.Background(), Options{}); f.ok {
		t.Errorf("found %+v", f)
	}
	if f := (hierarchies{}).inUnified("", "x"); f.ok {
		t.Errorf("found %+v without a hierarchy", f)
	}
}

// A controller of version 2 that is not handed down is there all the same; one
// that is handed down shows its files.
func TestUnified(t *testing.T) {
	tests := []struct {
		controllers, handedDown string
		group                   bool // a group has the file
		ok                      bool
	}{
		{"cpu memory pids", "", false, true},
		{"cpu memory pids", "cpu pids", false, true},
		{"cpu memory pids", "memory", true, true},
		{"cpu memory pids", "memory", false, false}, // the kernel was built without the file
		{"cpu pids", "cpu", false, false},
		{"", "", false, false},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		files := map[string]string{"cgroup.controllers": tt.controllers, "cgroup.subtree_control": tt.handedDown}
		if tt.group {
			files["a.slice/memory.swap.max"] = "max"
		}
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if f := (hierarchies{unified: dir}).inUnified("memory", "memory.swap.max"); f.ok != tt.ok {
			t.Errorf("%+v: %+v", tt, f)
		}
	}
}

func TestHolder(t *testing.T) {
	const passwd = "root:x:0:0::/:/bin/sh\n#comment\n+::::::\nbig:x:150:1::/:\n"
	const subuid = "alice:100000:65536\nbob:200000:0\nbad\n"
	tests := []struct {
		text         string
		field, count int
		first, last  uint64
		want         string
	}{
		{passwd, 2, 0, 100, 149, ""},
		{passwd, 2, 0, 100, 150, "big"},
		{passwd, 2, 0, 0, 0, "root"},
		{subuid, 1, 2, 165535, 165540, "alice"},
		{subuid, 1, 2, 165536, 300000, ""},
		{subuid, 1, 2, 1, 100000, "alice"},
	}
	for _, tt := range tests {
		if got := holder(tt.text, tt.field, tt.count, tt.first, tt.last); got != tt.want {
			t.Errorf("%d to %d: %q, want %q", tt.first, tt.last, got, tt.want)
		}
	}
}

func TestEndedBy(t *testing.T) {
	if _, ok := endedBy(errors.New("other")); ok {
		t.Error("an error that is no exit ended by a signal")
	}
	if _, ok := endedBy(exec.Command("false").Run()); ok {
		t.Error("an exit ended by a signal")
	}
}
