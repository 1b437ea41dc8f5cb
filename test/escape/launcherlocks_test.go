package escape

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// launcherLocks are the rows of the locks that the launcher sets. Something of
// the host is put in reach for each, for the attack to find when it gets there.
func launcherLocks(t *testing.T) []row {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(filepath.Dir(probe), "probe")
	return []row{
		{"open a file of the host by its path", lock.MountNamespace,
			opening(here, unix.O_RDONLY), filterAndLL, "SIGSYS", "ENOENT", "done", "", plain},
		{"make a file in the root directory", lock.ReadOnlyRoot,
			opening("/made", unix.O_CREAT|unix.O_WRONLY), filterAndLL, "SIGSYS", "EROFS", "done", "", plain},
		{"signal a process of the host by its number", lock.PidNamespace,
			rawCall(unix.SYS_KILL, uint64(os.Getpid()), 0), filterAndLL, "SIGSYS", "ESRCH", "EPERM", "", plain},
		{"connect to a service on the host's loopback interface", lock.NetworkNamespace,
			attack.Request{Attack: attack.Connect, Args: []uint64{listener(t)}}, filterAndLL,
			"SIGSYS", "ENETUNREACH", "done", "", nil},
		{"find System V memory of the host", lock.IPCNamespace,
			attack.Request{Attack: attack.FindShm, Args: []uint64{sharedMemory(t)}}, filter,
			"SIGSYS", "ENOENT", "done", "", nil},
		{"learn the host's name", lock.UTSNamespace,
			simple(attack.HostName), filter, "SIGSYS", "done: worker", "done: " + host, "", nil},
		{"make 64 processes, with a limit of 32 tasks", lock.PidsLimit,
			attack.Request{Attack: attack.Breed, Args: []uint64{64}}, filter, "SIGSYS", "EAGAIN", "done", "", nil},
	}
}

// listener takes connections on the host's loopback interface.
func listener(t *testing.T) uint64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return uint64(l.Addr().(*net.TCPAddr).Port)
}

// sharedMemory makes System V memory that everyone on the host may use.
func sharedMemory(t *testing.T) uint64 {
	key := 0x6d700000 | os.Getpid()&0xffff
	id, err := unix.SysvShmGet(key, 4096, unix.IPC_CREAT|unix.IPC_EXCL|0o666)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
	return uint64(key)
}

// Without a user namespace the worker's user is one of the host's.
func TestIsolatedUserNamespace(t *testing.T) {
	for _, without := range [][]lock.Name{nil, {lock.UserNamespace}} {
		var uid uint32
		s := newSession(t, func(t *testing.T, sp spec) { uid = start(t, sp, limits, without).UID })
		want := "done: 1"
		if without != nil {
			want = fmt.Sprint("done: ", uid)
		}
		if o := s.try(simple(attack.WhoAmI), filter...); o.String() != want {
			t.Errorf("without %q: %v, want %s", without, o, want)
		}
		if uid < isolatedBase {
			t.Errorf("user id %d on the host is not of the worker's range", uid)
		}
	}
}

// A worker that wants more memory than its limit is killed, and only then. Where
// the kernel can it ends the whole group, the probe with its attacker.
func TestIsolatedMemoryLimit(t *testing.T) {
	for _, without := range [][]lock.Name{nil, {lock.MemoryLimit}} {
		var kills func() uint64
		s := newSession(t, func(t *testing.T, sp spec) {
			w := start(t, sp, limits, without)
			kills = func() uint64 {
				u, err := w.Group.Stat()
				if err != nil {
					t.Fatal(err)
				}
				return u.OOMKills
			}
		})
		o, err := s.ask(attack.Request{Attack: attack.Grow, Args: []uint64{200 << 20}}, nil)
		switch {
		case without != nil && (err != nil || o.String() != "done" || kills() != 0):
			t.Errorf("without the limit: %v, %v, %d killed", o, err, kills())
		case without == nil && (err == nil && o.String() != "SIGKILL" || kills() == 0):
			t.Errorf("with the limit: %v, %v, %d killed; %s", o, err, kills(), s.stderr)
		}
	}
}

// A worker over its share of processor time is held back, and only then.
func TestIsolatedCPULimit(t *testing.T) {
	few := limits
	few.CPU = 0.2
	for _, without := range [][]lock.Name{nil, {lock.CPULimit}} {
		var throttled func() uint64
		s := newSession(t, func(t *testing.T, sp spec) {
			w := start(t, sp, few, without)
			throttled = func() uint64 {
				u, err := w.Group.Stat()
				if err != nil {
					t.Fatal(err)
				}
				return u.Throttled
			}
		})
		before := throttled()
		if o := s.try(attack.Request{Attack: attack.Spin, Args: []uint64{300}}); o.String() != "done" {
			t.Error(o)
		}
		if held := throttled() > before; held != (without == nil) {
			t.Errorf("without %q: held back %d times", without, throttled()-before)
		}
	}
}

// The session keyring of whoever starts a worker stays behind. The control is
// the plain setting, which inherits it.
func TestIsolatedKeyring(t *testing.T) {
	const key = "mpsupervisor-escape"
	for name, launch := range map[string]launcher{"done": plain, "ENOKEY": isolated} {
		s := newSession(t, func(t *testing.T, sp spec) {
			withKey(t, key, func() { launch(t, sp, nil) })
		})
		r := attack.Request{Attack: attack.ReadKey, Text: key}
		if o := s.try(r); o.String() != "SIGSYS" {
			t.Errorf("sealed: %v, want SIGSYS", o)
		}
		if o := s.try(r, filter...); o.String() != name {
			t.Errorf("without the filter: %v, want %s", o, name)
		}
	}
}

// Every namespace of a worker is its own, as seen from outside; one that is
// left out is the host's. There is no way to see the cgroup namespace from
// inside a root without files.
func TestIsolatedNamespaces(t *testing.T) {
	namespaces := map[string]lock.Name{
		"user": lock.UserNamespace, "pid": lock.PidNamespace, "net": lock.NetworkNamespace, "ipc": lock.IPCNamespace,
		"uts": lock.UTSNamespace, "cgroup": lock.CgroupNamespace, "mnt": lock.MountNamespace,
	}
	for file, name := range namespaces {
		for _, without := range [][]lock.Name{nil, {name}} {
			if without != nil && !omissible[name] {
				continue // nothing can be started without it
			}
			var pid int
			newSession(t, func(t *testing.T, sp spec) { pid = start(t, sp, limits, without).Pid })
			theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, file))
			if err != nil {
				t.Fatal(err)
			}
			ours, err := os.Readlink("/proc/self/ns/" + file)
			if err != nil || !strings.HasPrefix(ours, file) {
				t.Fatal(ours, err)
			}
			if own := theirs != ours; own != (without == nil) {
				t.Errorf("without %q: %s, the host's is %s", without, theirs, ours)
			}
		}
	}
}
