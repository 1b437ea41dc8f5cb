package escape

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// row is one attack, and what becomes of it with and without one lock.
type row struct {
	what   string // the attack, for people
	lock   lock.Name
	attack attack.Request
	aside  []lock.Name // other locks of the worker that stop it as well
	sealed string      // its outcome with every lock
	held   string      // with those aside
	open   string      // and without this lock
	needs  string      // what the kernel must have for this lock to stop it, if not every one has

	// control starts the probe without the lock, where the launcher that is
	// under test cannot.
	control launcher
}

// launcher starts a probe, as far as it can without some of the locks.
type launcher func(t *testing.T, s spec, without []lock.Name)

// check makes the three runs. Locks that the launcher sets are left out by it,
// those that the attacker sets by the attacker.
func (r row) check(t *testing.T, launch launcher) { r.checkUnder(t, seccomp.RoleJS, launch) }

// checkUnder is check under a role's table.
func (r row) checkUnder(t *testing.T, role seccomp.Role, launch launcher) {
	if r.needs != "" && !kernelHas(r.needs) {
		t.Skipf("this kernel lacks %s", r.needs)
	}
	whole := newSessionOf(t, role, func(t *testing.T, s spec) { launch(t, s, nil) })
	if r.control != nil {
		launch = r.control
	}
	lacking := newSessionOf(t, role, func(t *testing.T, s spec) { launch(t, s, []lock.Name{r.lock}) })
	runs := []struct {
		name    string
		s       *session
		without []lock.Name
		want    string
	}{
		{"sealed", whole, nil, r.sealed},
		{"held", whole, r.aside, r.held},
		{"open", lacking, append([]lock.Name{r.lock}, r.aside...), r.open},
	}
	for _, run := range runs {
		if got := run.s.try(r.attack, run.without...); got.String() != run.want {
			t.Errorf("%s: %v, want %s; the probe says: %s", run.name, got, run.want, run.s.stderr)
		}
	}
	if r.held == r.open {
		t.Error("the row shows nothing: the attack gets as far with the lock as without")
	}
}

// The locks that are aside because they stop almost anything.
var (
	filter      = []lock.Name{lock.Seccomp}
	filterAndLL = []lock.Name{lock.Seccomp, lock.Landlock}
)

func rawCall(nr uintptr, args ...uint64) attack.Request {
	return attack.Request{Attack: attack.Native, Args: append([]uint64{uint64(nr)}, args...)}
}

func simple(name string) attack.Request { return attack.Request{Attack: name} }

func opening(path string, flags int) attack.Request {
	return attack.Request{Attack: attack.Open, Text: path, Args: []uint64{uint64(flags)}}
}

// What not every kernel's Landlock can deny. Signals: on kernels where a process
// may yet signal its own threads.
const (
	tcpRights   = "landlock's TCP rights"
	signalScope = "landlock's signal scope"
)

// ownLocks are those that the worker sets itself.
var ownLocks = []row{
	{"read the filter, inherited as descriptor 5", lock.Descriptors,
		attack.Request{Attack: attack.ReadFD, Args: []uint64{5}}, nil, "EBADF", "EBADF", "done", "", nil},
	{"allow itself a core dump", lock.Rlimits, simple(attack.RaiseLimit), filter, "SIGSYS", "EPERM", "done", "", nil},
	{"read the memory of another process of the same user", lock.Dumpable,
		simple(attack.SpyOnKin), filterAndLL, "SIGSYS", "EPERM", "done", "", nil},
	{"open the root directory", lock.Landlock, opening("/", unix.O_RDONLY), filter, "SIGSYS", "EACCES", "done", "", nil},
	{"bind a TCP port", lock.Landlock, simple(attack.BindTCP), filter, "SIGSYS", "EACCES", "done", tcpRights, nil},
	{"signal process 1", lock.Landlock, rawCall(unix.SYS_KILL, 1, 0), filter, "SIGSYS", "EPERM", "done", signalScope, nil},
	{"map memory to write and execute", lock.MDWE,
		simple(attack.MapExec), filter, "SIGSYS", "EACCES", "done", string(lock.MDWE), nil},
	{"make written memory executable", lock.MDWE,
		simple(attack.TurnExec), filter, "SIGSYS", "EACCES", "done", string(lock.MDWE), nil},
	// What stands in for MDWE where the kernel lacks it.
	{"map memory to write and execute, without MDWE", lock.Seccomp,
		simple(attack.MapExec), []lock.Name{lock.MDWE}, "SIGSYS", "SIGSYS", "done", "", nil},
	{"make written memory executable, without MDWE", lock.Seccomp,
		simple(attack.TurnExec), []lock.Name{lock.MDWE}, "SIGSYS", "SIGSYS", "done", "", nil},
	{"make a socket to the hypervisor", lock.Seccomp,
		rawCall(unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM), nil, "SIGSYS", "SIGSYS", "done", "vsock", nil},
	{"make a Unix socket", lock.Seccomp,
		rawCall(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM), nil, "SIGSYS", "SIGSYS", "done", "", nil},
	{"make an epoll descriptor", lock.Seccomp, rawCall(unix.SYS_EPOLL_CREATE1), nil, "SIGSYS", "SIGSYS", "done", "", nil},
}

// asUser is the outcome of the set-user-ID program's execution.
func asUser(uid int, caps string) string { return fmt.Sprintf("done: user %d, %s", uid, caps) }

// privilegeLocks keep what the plain setting hands out, two capabilities and a
// set-user-ID program, from being of use. The launcher hands out neither, and
// cannot be made to: the securebits that it sets allow no ambient capability.
var privilegeLocks = []row{
	{"change the namespace's host name with a capability", lock.Capabilities,
		simple(attack.SetName), filter, "SIGSYS", "EPERM", "done", "", nil},
	{"execute a set-user-ID program", lock.NoNewPrivs, attack.Request{Attack: attack.SetUID, Text: "/setuid"}, filterAndLL,
		"SIGSYS", asUser(1, "no capability"), asUser(0, "no capability"), "", nil},
	{"execute a set-user-ID program of user 0", lock.Securebits, attack.Request{Attack: attack.SetUID, Text: "/setuid"},
		append([]lock.Name{lock.NoNewPrivs, lock.Capabilities}, filterAndLL...),
		"SIGSYS", asUser(0, "no capability"), asUser(0, "capabilities"), "", nil},
}

// hostFiles are files that would tell of, or reach, the host. With filter and
// Landlock aside the root directory still has none of them.
var hostFiles = []string{
	"/etc/passwd", "/root/.ssh", "/proc/1/root", "/proc/self/mem", "/proc/sys/kernel/core_pattern", "/proc/kcore",
	"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/tasks", "/sys/kernel/security", "/sys/kernel/debug",
	"/dev/mem", "/dev/kvm", "/dev/fuse", "/dev/vsock", "/dev/null", "/run/mpsupervisor", "/var/run/docker.sock",
	"/../../../../etc/passwd",
}

// noHostFile tries them all. The control is the file that is there.
func noHostFile(t *testing.T, s *session, present string) {
	for _, path := range hostFiles {
		r := opening(path, unix.O_RDONLY)
		if o := s.try(r); o.String() != "SIGSYS" {
			t.Errorf("%s: %v, want SIGSYS", path, o)
		}
		if o := s.try(r, filter...); o.String() != "ENOENT" && o.String() != "EACCES" {
			t.Errorf("%s without the filter: %v, want ENOENT or EACCES", path, o)
		}
		if o := s.try(r, filterAndLL...); o.String() != "ENOENT" {
			t.Errorf("%s without the filter and Landlock: %v, want ENOENT", path, o)
		}
	}
	if o := s.try(opening(present, unix.O_RDONLY), filterAndLL...); o.String() != "done" {
		t.Errorf("%s, which is there: %v", present, o)
	}
}

func TestPlainLocks(t *testing.T) {
	for _, r := range slices.Concat(ownLocks, privilegeLocks) {
		t.Run(string(r.lock)+"/"+r.what, func(t *testing.T) { r.check(t, plain) })
	}
	t.Run("host files", func(t *testing.T) {
		noHostFile(t, newSession(t, func(t *testing.T, s spec) { plain(t, s, nil) }), "/probe")
	})
}

// Where a pid namespace does not hide one worker from another, their user ids
// still part them, unless they share a range.
func TestPlainUIDRange(t *testing.T) {
	seen := []lock.Name{lock.PidNamespace}
	var victim int
	newSession(t, func(t *testing.T, s spec) { victim = plainAt(t, plainBase, s, seen) })
	for base, want := range map[int]string{plainBase: "done", plainBase + plainCount: "EPERM"} {
		s := newSession(t, func(t *testing.T, s spec) { plainAt(t, base, s, seen) })
		r := rawCall(unix.SYS_KILL, uint64(victim), 0)
		if o := s.try(r); o.String() != "SIGSYS" {
			t.Errorf("sealed: %v, want SIGSYS", o)
		}
		if o := s.try(r, filterAndLL...); o.String() != want {
			t.Errorf("user ids from %d against one from %d: %v, want %s", base, plainBase, o, want)
		}
	}
}
