package isolate

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"golang.org/x/sys/unix"
)

// mountsWanted are the lines of mount(8) in every native program, without what
// the kernel adds and without those that only hide something.
var mountsWanted = []string{
	"overlay on / (ro,nosuid,nodev)",
	"tmpfs on /tmp (rw,nosuid,nodev,noexec)",
	"proc on /proc (ro,nosuid,nodev,noexec)",
	"tmpfs on /dev (ro,nosuid,noexec)",
}

var mountLine = regexp.MustCompile(`^\S+ on (\S+) type (\S+) \(([^)]*)\)$`)

// mountsIn reads what mount(8) printed inside.
func mountsIn(t *testing.T, text string) (got []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		m := mountLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			t.Errorf("mount printed %q", line)
			continue
		}
		if slices.Contains(masked, m[1]) && strings.HasPrefix(m[3], "ro") {
			continue
		}
		flags := slices.DeleteFunc(strings.Split(m[3], ","), func(o string) bool {
			return !slices.Contains([]string{"ro", "rw", "nosuid", "nodev", "noexec"}, o)
		})
		got = append(got, m[2]+" on "+m[1]+" ("+strings.Join(flags, ",")+")")
	}
	return got
}

// TestNativeView has one shell look at everything: each row runs in a subshell.
func TestNativeView(t *testing.T) {
	rows := []struct{ what, script, want string }{
		{"user", "id", "uid=1 gid=1"},
		{"no process 1", "test $$ -ne 1; echo $?", "0"},
		{"name", "hostname", "worker"},
		{"root", "ls /", "bin dev proc tmp"},
		{"devices", "ls /dev", "fd full null random shm stderr stdin stdout urandom zero"},
		{"null", "echo gone > /dev/null; wc -c < /dev/null", "0"},
		{"zero", "head -c 3 /dev/zero | wc -c", "3"},
		{"random", "head -c 3 /dev/urandom | wc -c", "3"},
		{"processes", "ps -o pid,comm | grep -c mpworker", "0"},
		{"shm is tmp", "touch /dev/shm/x; ls /tmp", "x"},
		{"output", "echo hello > /dev/stderr", "hello"},
		{"capabilities", "grep -E '^Cap' /proc/self/status | grep -v 0000000000000000", ""},
		{"privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs: 1"},
		{"filter", "grep 'Seccomp:' /proc/self/status", "Seccomp: 2"},
		{"descriptors", "ulimit -Hn", "128"},
		{"file size", "ulimit -f", "unlimited"},
		{"core", "ulimit -Hc", "0"},
		{"sysctl", "echo x > /proc/sys/kernel/core_pattern", "/bin/sh: can't create /proc/sys/kernel/core_pattern: Read-only file system"},
		{"own proc", "echo 500 > /proc/self/oom_score_adj", "/bin/sh: can't create /proc/self/oom_score_adj: Read-only file system"},
		{"masked", "cat /proc/keys /proc/timer_list", ""},
		{"write", "touch /x", "touch: /x: Read-only file system"},
		{"execute data", "cp /bin/busybox /tmp/echo; chmod 755 /tmp/echo; /tmp/echo hello", "/bin/sh: /tmp/echo: Permission denied"},
		{"process 1", "cat /proc/1/maps 2>/dev/null; ls /proc/1/fd 2>/dev/null", ""},
	}
	const end = "end of row"
	var script strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&script, "( %s ) 2>&1; echo %s\n", row.script, end)
	}
	l, dir := openNative(t), root(t)
	got := strings.Split(shell(t, l, dir, script.String()+"mount"), end)
	if len(got) != len(rows)+1 {
		t.Fatalf("%d of %d rows: %q", len(got)-1, len(rows), got)
	}
	for i, row := range rows {
		if got := strings.Join(strings.Fields(got[i]), " "); got != row.want {
			t.Errorf("%s: %s gives %q, want %q", row.what, row.script, got, row.want)
		}
	}
	if got := mountsIn(t, strings.TrimSpace(got[len(rows)])); !slices.Equal(got, mountsWanted) {
		t.Errorf("mounted: %q", got)
	}
}

func TestNativeTerminal(t *testing.T) {
	l, dir := openNative(t), root(t)
	s := nativeSpec(t, dir, nil, "/bin/sh", "-c", "stat -c '%F %t,%T' /dev/tty; mount")
	s.Native.TTY = true
	first, rest, _ := strings.Cut(output(t, l, s), "\n")
	if first != "character special file 5,0" {
		t.Errorf("/dev/tty is %q", first)
	}
	if got := mountsIn(t, rest); !slices.Equal(got, mountsWanted) {
		t.Errorf("mounted: %q", got)
	}
}

// What is in /tmp is the worker's: it has a size, can be resized, and is charged.
func TestNativeTmp(t *testing.T) {
	l, dir := openNative(t), root(t)
	install(t, buildNative(t), filepath.Join(dir, "bin", "unix"))
	fill := "dd if=/dev/zero of=/tmp/big bs=1M count=%s 2>/dev/null && echo fits"
	for what, row := range map[string]struct{ script, want string }{
		"fits":        {strings.Replace(fill, "%s", "7", 1), "fits"},
		"too much":    {strings.Replace(fill, "%s", "9", 1), "\ncode 1, signal 0"},
		"many files":  {"for i in $(seq 200); do echo > /tmp/$i || break; done; ls /tmp | wc -l", "200"},
		"all inodes":  {"for i in $(seq 300); do touch /tmp/$i || break; done 2>/dev/null; ls /tmp | wc -l", "255"},
		"own sockets": {"unix /tmp/s", "hello"},
	} {
		t.Run(what, func(t *testing.T) {
			if got := shell(t, l, dir, row.script); got != row.want {
				t.Errorf("%s gives %q, want %q", row.script, got, row.want)
			}
		})
	}
}

func TestNativeTmpIsResized(t *testing.T) {
	l, dir := openNative(t), root(t)
	// It fills /tmp to the brim, says how much that was, and again for each line.
	s := nativeSpec(t, dir, nil, "/bin/sh", "-c",
		"while true; do dd if=/dev/zero of=/tmp/big bs=1M 2>/dev/null; stat -c %s /tmp/big; test -f /tmp/stop && break; sleep 0.1; done")
	w, r := begin(t, l, s)
	read := func() string { line, _ := r.ReadString('\n'); return strings.TrimSpace(line) }
	if got := read(); got != "8388608" {
		t.Errorf("holds %s at first", got)
	}
	if err := w.ResizeTmp(16<<20, 256); err != nil {
		t.Fatal(err)
	}
	read() // may have been under way
	if got := read(); got != "16777216" {
		t.Errorf("holds %s when resized", got)
	}
	for what, err := range map[string]error{"bytes": w.ResizeTmp(4<<20, 256), "files": w.ResizeTmp(16<<20, 1)} {
		if err == nil || !strings.Contains(err.Error(), "bytes in 2 files are in use: give as much or more") {
			t.Errorf("fewer %s than there are: %v", what, err)
		} else {
			t.Log(err)
		}
	}
	if u, err := w.Group.Stat(); err != nil || u.Memory < 16<<20 {
		t.Errorf("charged with %d bytes, %v", u.Memory, err)
	}
	w.Kill()
	finish(t, w)
	if err := w.ResizeTmp(16<<20, 256); err == nil {
		t.Error("resized when nothing is left of it")
	}
	js, _ := begin(t, open(t), Spec{Args: []string{"exit"}})
	if err := js.ResizeTmp(1<<20, 10); err == nil {
		t.Error("a worker without /tmp has it resized")
	}
	finish(t, js)
}

// A file system in memory is bounded by the memory limit, whatever its size is.
func TestNativeTmpIsCharged(t *testing.T) {
	s := nativeSpec(t, root(t), nil, "/bin/dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=200")
	s.Native.TmpBytes = 1 << 30
	s.Limits = cgroup.Limits{Memory: 32 << 20, Pids: 64, CPU: 2}
	w, r := begin(t, openNative(t), s)
	r.ReadString('\n')
	if e := finish(t, w); e.Usage.OOMKills == 0 || e.Usage.Peak > 33<<20 { // see TestMemoryBombIsToldAsSuch
		t.Errorf("ended with %+v", e)
	}
}

// Each attack on the files is made with every lock, and in a control run
// without the locks that stop it, where it must succeed.
func TestNativeLocksHold(t *testing.T) {
	l, dir := openNative(t), root(t)
	setuid := filepath.Join(dir, "bin", "euid")
	install(t, buildNative(t), setuid)
	// Owned by root of the worker's namespace, which is whom it could become.
	uid := int(l.conf.uid(0))
	if err := os.Chown(setuid, uid, uid); err != nil {
		t.Fatal(err)
	}
	if err := unix.Chmod(setuid, 0o4755); err != nil {
		t.Fatal(err)
	}
	zero := filepath.Join(dir, "zero")
	if err := unix.Mknod(zero, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(zero, 0o666); err != nil {
		t.Fatal(err)
	}
	nnp := []lock.Name{lock.NoNewPrivs, lock.Landlock, lock.Seccomp}
	for what, row := range map[string]struct {
		script       string
		aside        []lock.Name // what would stop it before the lock in question
		held, gained string
		without      lock.Name
	}{
		"set-user-ID program": {"euid", nnp, "1", "0", lock.ReadOnlyRoot},
		"device in the root":  {"head -c 3 /zero | wc -c", []lock.Name{lock.Landlock}, "head: /zero: Permission denied\n0", "3", lock.ReadOnlyRoot},
		"write to the root":   {"echo x > /x && cat /x", []lock.Name{lock.Landlock}, "/bin/sh: can't create /x: Read-only file system\ncode 1, signal 0", "x", lock.ReadOnlyRoot},
		"device in /tmp": {"mknod /tmp/x b 0 0", []lock.Name{lock.Seccomp}, "mknod: /tmp/x: Permission denied\ncode 1, signal 0",
			"mknod: /tmp/x: Operation not permitted\ncode 1, signal 0", lock.Landlock}, // the next lock, for want of a capability
	} {
		t.Run(what, func(t *testing.T) {
			if got := shell(t, l, dir, row.script, row.aside...); got != row.held {
				t.Errorf("with the %s: %q, want %q", row.without, got, row.held)
			}
			if got := shell(t, l, dir, row.script, append(row.aside, row.without)...); got != row.gained {
				t.Errorf("control without the %s: %q, want %q", row.without, got, row.gained)
			}
		})
	}
}
