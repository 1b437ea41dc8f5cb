package lane

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
)

// uid is where this test's range of user ids begins.
const uid = 1650000000

func root(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes control groups and other users' processes")
	}
}

func take1(t *testing.T, dir string) (*Lane, []string) {
	t.Helper()
	l, removed, err := Take(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l, removed
}

func TestLanesAreApartAndComeBack(t *testing.T) {
	dir := t.TempDir()
	a, _ := take1(t, dir)
	b, _ := take1(t, dir)
	if a.Number != 0 || b.Number != 1 || a.Dir() == b.Dir() {
		t.Errorf("lanes %d and %d", a.Number, b.Number)
	}
	if err := a.Release(); err != nil {
		t.Error(err)
	}
	if c, _ := take1(t, dir); c.Number != 0 {
		t.Errorf("got lane %d, not the free one", c.Number)
	}
}

func TestAllTaken(t *testing.T) {
	dir := t.TempDir()
	for range Count {
		take1(t, dir)
	}
	if l, _, err := Take(dir); err == nil {
		t.Errorf("got lane %d of %d", l.Number, Count)
	}
}

func TestSweepOfADeadHolder(t *testing.T) {
	root(t)
	dir := t.TempDir()
	dead, _ := take1(t, dir)
	p, err := cgroup.Own("mpsupervisor-test/lane")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Child("lane-0")
	if err := dead.Record(Holdings{Groups: p.Place(), UIDBase: uid, UIDCount: 100}); err != nil {
		t.Fatal(err)
	}
	g, err := p.Create("left", cgroup.Limits{Pids: 8})
	if err != nil {
		t.Fatal(err)
	}
	grouped, strayed := exec.Command("sleep", "60"), exec.Command("sleep", "60")
	strayed.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid + 99, Gid: uid}}
	if err := g.Inside(grouped.Start); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(grouped.Process.Pid, ""); err != nil { // where Inside does not reach
		t.Fatal(err)
	}
	if err := strayed.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dead.Dir(), "run", "left"), 0o700); err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, 2)
	go func() { ends <- grouped.Wait() }()
	go func() { ends <- strayed.Wait() }()

	dead.file.Close() // as the kernel does when its holder dies
	_, removed := take1(t, dir)
	for range 2 {
		if err := <-ends; err == nil || err.Error() != "signal: killed" {
			t.Errorf("a process that was left ended with %v", err)
		}
	}
	if g.Exists() {
		t.Error("the control group is still there")
	}
	if _, err := os.Stat(dead.Dir()); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	if all := strings.Join(removed, "\n"); len(removed) != 3 || !strings.Contains(all, "left") || !strings.Contains(all, "process") {
		t.Errorf("says that it removed:\n%s", all)
	}
	if _, again := take1(t, dir); len(again) != 0 {
		t.Errorf("removed twice: %v", again)
	}
}

func TestLivingHolderIsLeftAlone(t *testing.T) {
	root(t)
	dir := t.TempDir()
	alive, _ := take1(t, dir)
	if err := alive.Record(Holdings{Groups: cgroup.Place{Below: "nowhere"}, UIDBase: uid, UIDCount: 100}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(alive.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, removed := take1(t, dir); len(removed) > 0 {
		t.Errorf("removed %v", removed)
	}
	if _, err := os.Stat(alive.Dir()); err != nil {
		t.Error(err)
	}
}

// A lane that cannot be swept is passed over, and said to be.
func TestUnreadableRecord(t *testing.T) {
	root(t)
	for what, record := range map[string]string{
		"not JSON":        "{",
		"not a group":     `{"groups":{"base":{"memory":"/etc"},"below":"x"}}`,
		"way up":          `{"groups":{"base":{"memory":"/sys/fs/cgroup/memory/../../.."},"below":"x"}}`,
		"the whole place": `{"groups":{"base":{},"below":""}}`,
		"up from there":   `{"groups":{"base":{},"below":"../x"}}`,
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			l, _ := take1(t, dir)
			if err := l.rewrite([]byte(record)); err != nil {
				t.Fatal(err)
			}
			l.file.Close()
			next, notes, err := Take(dir)
			if err != nil || next.Number != 1 || len(notes) != 1 {
				t.Errorf("got %v %v, want lane 1, and a note: %v", next, err, notes)
			}
		})
	}
}

func TestOwner(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tx\nState:\tS (sleeping)\nUid:\t7\t1\t1\t1\n": true,
		"Name:\tx\nState:\tZ (zombie)\nUid:\t7\t1\t1\t1\n":   false,
		"Name:\tx\n": false,
		"":           false,
	} {
		if id, alive := owner([]byte(status)); alive != want || alive && id != 7 {
			t.Errorf("%q: %d %v", status, id, alive)
		}
	}
}
