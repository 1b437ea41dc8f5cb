package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
)

// dialNative gives a server whose native programs execute a script.
func dialNative(t *testing.T, script string, learns bool) *rig {
	t.Helper()
	made := func(s seccomp.Stack, err error) Filters {
		if err != nil {
			t.Fatal(err)
		}
		f, err := NewFilters(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.File.Close() })
		return f
	}
	own := made(compile.Stack(seccomp.RoleInit, nil))
	role := Role{
		Table: seccomp.RoleNative, Filters: made(compile.Stack(seccomp.RoleNative, nil)), Other: own.File, Later: own.Stack,
		Native: true, Forks: true, Args: []string{"native"}, Env: []string{"SCRIPT=" + script},
	}
	if learns {
		role.Learn = made(compile.Learn())
	}
	return dialWith(t, setup{pid1, map[launch.Role]Role{launch.RoleNative: role}})
}

// root is a directory with busybox and the program misuse, opened as a
// supervisor does.
func root(t *testing.T) *os.File {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{"busybox": "/bin/busybox", "misuse": misuse} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatalf("%v (Debian has busybox in busybox-static)", err)
		}
		if err := os.WriteFile(filepath.Join(bin, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, applet := range []string{"sh", "id", "ls", "cat", "dd", "sleep", "mkdir", "hostname", "mount", "rm"} {
		if err := os.Symlink("busybox", filepath.Join(bin, applet)); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), dir)
	t.Cleanup(func() { f.Close() })
	return f
}

func (r *rig) native(t *testing.T, change func(*launch.Start)) (*job, error) {
	t.Helper()
	s := launch.Start{ID: "a", Role: launch.RoleNative, Limits: mp.DefaultLimits(), Root: root(t)}
	if change != nil {
		change(&s)
	}
	return r.startWith(t, s)
}

// run runs the program to its end and gives what it printed.
func (r *rig) run(t *testing.T, change func(*launch.Start)) (string, launch.Exited) {
	t.Helper()
	j, err := r.native(t, change)
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(j.said)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), r.exited(t)
}

func TestNative(t *testing.T) {
	r := dialNative(t, `id -u; ls /; mount -t tmpfs x /tmp 2>/dev/null || echo refused; ls -d /dev/tty 2>/dev/null; exit 3`, false)
	out, e := r.run(t, nil)
	if out != "1\nbin\ndev\nproc\ntmp\nrefused\n" || e.Code != 3 {
		t.Errorf("said %q and ended with %+v", out, e)
	}
	if n := <-r.client.Notices(); n.Denied == nil || n.Denied.Syscall != "mount" || n.Denied.Command != "mount" || n.Denied.Action != actionRefused {
		t.Errorf("told %+v", n.Denied)
	}
	if out, _ := r.run(t, func(s *launch.Start) { s.TTY = true }); !strings.Contains(out, "/dev/tty") {
		t.Errorf("with a terminal it said %q", out)
	}
}

// Only takes calls away. What it leaves is compiled once for the same list.
func TestOnly(t *testing.T) {
	r := dialNative(t, `mkdir /tmp/x && echo made`, false)
	if out, _ := r.run(t, nil); out != "made\n" {
		t.Fatalf("without a list: %q", out)
	}
	most := []string{"write", "getuid", "mkdir", "mkdirat", "umask", "exit_group", "fork", "vfork", "clone", "wait4", "rt_sigaction", "mount"}
	if out, _ := r.run(t, func(s *launch.Start) { s.Only = most }); out != "made\n" {
		t.Errorf("with a list of what it needs: %q", out)
	}
	less := slices.DeleteFunc(slices.Clone(most), func(s string) bool { return strings.HasPrefix(s, "mkdir") })
	if out, _ := r.run(t, func(s *launch.Start) { s.Only = less }); strings.Contains(out, "made") {
		t.Errorf("without mkdir: %q", out)
	}
	if _, err := r.native(t, func(s *launch.Start) { s.Only = []string{"no_such_call"} }); err == nil {
		t.Error("a call that does not exist")
	}
}

// Limits change while it runs, /tmp among them; all of them or none.
func TestLimitNative(t *testing.T) {
	fill := `dd if=/dev/zero of=/tmp/f bs=1M count=4 2>/dev/null`
	r := dialNative(t, fill+` || echo full; until `+fill+`; do :; done; echo fits; sleep 1000`, false)
	limits := mp.DefaultLimits()
	limits.TmpBytes = 1 << 20
	j, err := r.native(t, func(s *launch.Start) { s.Limits = limits })
	if err != nil {
		t.Fatal(err)
	}
	if line, _ := j.said.ReadString('\n'); line != "full\n" {
		t.Fatalf("in a /tmp that is too small: %q", line)
	}
	limits.TmpBytes, limits.Memory = 8<<20, 96<<20
	if err := r.client.Limit(t.Context(), "a", limits); err != nil {
		t.Error(err)
	}
	if line, _ := j.said.ReadString('\n'); line != "fits\n" {
		t.Errorf("in a larger one: %q", line)
	}
	for what, change := range map[string]func(*mp.Limits){
		"/tmp below what is in it": func(l *mp.Limits) { l.TmpBytes, l.Memory, l.Pids = 1<<20, 80<<20, 64 },
		"open files":               func(l *mp.Limits) { l.Files++; l.Pids = 64 },
		"more than anybody gets":   func(l *mp.Limits) { l.TmpFiles = most.TmpFiles + 1 },
	} {
		bad := limits
		change(&bad)
		err := r.client.Limit(t.Context(), "a", bad)
		if err == nil {
			t.Errorf("%s: changed", what)
		}
		t.Log(err)
	}
	s, err := r.client.Stat(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Locks { // verified against the limits that were set last
		if !l.OK && l.Name != string(lock.Descriptors) {
			t.Errorf("%s: found %q, want %q", l.Name, l.Found, l.Want)
		}
	}
}

func TestLearn(t *testing.T) {
	script := `echo hello; hostname x 2>/dev/null; exit 5`
	r := dialNative(t, script, true)
	if !lock.InKernel(lock.MDWE) { // before Linux 6.3, where the filter stands in
		if _, err := r.native(t, func(s *launch.Start) { s.Learn = true }); err == nil || !strings.Contains(err.Error(), string(lock.MDWE)) {
			t.Errorf("learning without %s gives %v", lock.MDWE, err)
		}
		return
	}
	out, e := r.run(t, func(s *launch.Start) { s.Learn = true })
	if out != "hello\n" || e.Code != 5 {
		t.Errorf("said %q, ended with %+v", out, e)
	}
	if !slices.IsSortedFunc(e.Learned, func(a, b launch.Learned) int { return strings.Compare(a.Syscall, b.Syscall) }) {
		t.Errorf("not by name: %+v", e.Learned)
	}
	actions := map[string]string{}
	for _, l := range e.Learned {
		actions[l.Syscall] = l.Action
		if l.Count == 0 {
			t.Errorf("%+v", l)
		}
	}
	// Process 1 calls seccomp, to narrow itself; the program does not.
	for call, want := range map[string]string{"execve": "allow", "write": "allow", "sethostname": "errno EPERM", "seccomp": ""} {
		if actions[call] != want {
			t.Errorf("%s: %q, want %q", call, actions[call], want)
		}
	}
	if _, told := r.run(t, nil); told.Code != 5 || told.Learned != nil {
		t.Errorf("without learning: %+v", told)
	}

	// Killed while it is held at a call, or anywhere.
	j, err := dialNative(t, `while :; do id; done`, true).native(t, func(s *launch.Start) { s.Learn = true })
	if err != nil {
		t.Fatal(err)
	}
	j.said.ReadString('\n')
}

// The calls of a worker that is its own program count from when its locks have
// been verified.
func TestLearnerBegins(t *testing.T) {
	l := &learner{
		decide: Role{Table: seccomp.RoleJS}.decider(nil), counts: map[learned]uint64{}, names: map[int32]string{},
		ended: make(chan struct{}), done: make(chan struct{}),
	}
	close(l.done)
	q := question{nr: unix.SYS_GETPID, arch: map[string]uint32{"x86_64": compile.AuditX86_64, "aarch64": compile.AuditAArch64}[arch]}
	l.note(q)
	l.begin()
	l.note(q)
	for nr := range int32(10 * maxLearned) { // a worker chooses how many there are
		l.note(question{nr: 1000 + nr, arch: q.arch})
	}
	all := l.result()
	if i := slices.IndexFunc(all, func(l launch.Learned) bool { return l.Syscall == "getpid" }); i < 0 || all[i].Count != 1 || all[i].Action != "allow" {
		t.Errorf("learned %+v", all)
	}
	if b, err := json.Marshal(launch.Exited{Learned: all}); len(all) != maxLearned+1 || err != nil || len(b) > launch.MaxPacket*9/10 {
		t.Errorf("%d kinds in %d bytes, %v", len(all), len(b), err)
	}
}

func TestLearnTakesPermission(t *testing.T) {
	r := dialNative(t, "exit 0", false)
	if _, err := r.native(t, func(s *launch.Start) { s.Learn = true }); err == nil || !strings.Contains(err.Error(), "--learn") {
		t.Errorf("started, or not for this: %v", err)
	}
}

// A program's fault, and that of its child's child, is told with its class.
func TestNativeFault(t *testing.T) {
	for who, script := range map[string]string{
		"program":    `MISUSE="fault wild" exec misuse`,
		"grandchild": `sh -c 'MISUSE="fault wild" misuse'; exit 139`,
	} {
		t.Run(who, func(t *testing.T) {
			log, r := openKernelLog(t), dialNative(t, script, false)
			f := persist(func() *launch.Fault {
				out, e := r.run(t, nil)
				f := r.told(t)
				if f == nil || e.Code != 139 {
					t.Fatalf("told %+v, ended with %+v, said %q", f, e, out)
				}
				return f
			})
			if f.ID != "a" || f.Signal != int(unix.SIGSEGV) {
				t.Errorf("told %+v", f)
			}
			if f.Class == mp.FaultUnknown && log.suppressed(t) {
				return // somebody else had all that the log gives
			}
			if f.Class != mp.FaultWild || f.Address != 0x123456789000 {
				t.Errorf("told %+v", f)
			}
		})
	}
}

func TestSamples(t *testing.T) {
	r := dial(t)
	j := r.must(t, "a", "spin")
	r.must(t, "b", "sleep")
	j.said.ReadString('\n')
	if err := r.client.Freeze(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	got, err := r.client.Sample(t.Context(), []mp.InstanceID{"b", "nobody", "a"})
	if err != nil || len(got) != 2 || got[0].ID != "b" || got[1].ID != "a" {
		t.Fatalf("got %+v %v", got, err)
	}
	if a, b := got[1], got[0]; a.CPU == 0 || a.Memory == 0 || a.Pids == 0 || a.Faults == 0 || !a.Frozen || b.Frozen {
		t.Errorf("got %+v", got)
	}
	if got, err := r.client.Sample(t.Context(), []mp.InstanceID{"nobody"}); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %+v %v", got, err)
	}
	r.client.Thaw(t.Context(), "a")
}

// What a program's list is compiled to is kept, but not for ever.
func TestNarrowedIsKeptAndBounded(t *testing.T) {
	n := newNarrowed()
	compiled := 0
	n.compile = func(_ seccomp.Role, only []string) ([]byte, error) {
		if only[0] == "bad" {
			return nil, errors.New("bad")
		}
		compiled++
		return []byte(strings.Join(only, " ")), nil
	}
	for _, only := range [][]string{{"b", "a"}, {"a", "b"}, {"a", "b", "a"}} {
		if s, err := n.stack("native", only); !bytes.Equal(s, []byte("a b")) || err != nil {
			t.Errorf("%q gives %q %v", only, s, err)
		}
	}
	if _, err := n.stack("native", []string{"bad"}); err == nil || compiled != 1 {
		t.Errorf("compiled %d times, %v", compiled, err)
	}
	for i := range 2 * maxNarrowed {
		n.stack("native", []string{strings.Repeat("x", i+1)})
	}
	if len(n.stacks) != maxNarrowed || len(n.order) != maxNarrowed {
		t.Errorf("%d kept, %d in order", len(n.stacks), len(n.order))
	}
	n.stack("native", []string{"a", "b"})
	if compiled != 2+2*maxNarrowed {
		t.Errorf("compiled %d times", compiled)
	}
}
