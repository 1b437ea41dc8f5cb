package native

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func TestEnds(t *testing.T) {
	for script, want := range map[string]mp.Exit{
		"true":                {Cause: mp.CauseExited},
		"exit 7":              {Cause: mp.CauseExited, Code: 7},
		"kill -9 $$":          {Cause: mp.CauseSignal, Signal: 9},
		"kill $$":             {Cause: mp.CauseSignal, Signal: 15},
		"nosuch":              {Cause: mp.CauseExited, Code: 127},
		"sleep 1000 & exit 3": {Cause: mp.CauseExited, Code: 3},
	} {
		if got := shell(t, script).ended(); got != want {
			t.Errorf("%s: %v, want %v", script, got, want)
		}
	}
}

func TestConsole(t *testing.T) {
	long := strings.Repeat("x", maxLine+100)
	for script, want := range map[string]string{
		"echo a; echo; printf 'b\\r\\nc'": "info a\ninfo \ninfo b\ninfo c",
		"echo e >&2":                      "error e",
		`printf 'a\377b\303\n'`:           "info a\ufffdb\ufffd",
		"printf '" + long + "\\ny\\n'":    "info " + long[:maxLine] + "\ninfo y",
		"cat":                             "", // its input is empty
		"sleep 1000 & echo left":          "info left",
		"(sleep 0.1; echo late) & wait":   "info late",
	} {
		b := shell(t, script)
		b.ended()
		if got := b.logs.String(); got != want {
			t.Errorf("%s: %.200q, want %.200q", script, got, want)
		}
	}
}

// A process that is left behind and goes on writing does not keep the engine.
func TestEndlessOutput(t *testing.T) {
	b := shell(t, "yes & exit 5")
	if x := b.ended(); x.Code != 5 {
		t.Error(x)
	}
}

// Everything that was written before the end arrives.
func TestOutputBeforeEnd(t *testing.T) {
	b := shell(t, "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done")
	b.ended()
	if n := len(b.logs.lines); n != 2000 || b.logs.lines[1999] != "info 1999" {
		t.Errorf("%d lines", n)
	}
}

func TestSurroundings(t *testing.T) {
	p := program("busybox", "sh", "-c", `echo $PATH $HOME $MP_HOST_FD $MP_APP_ID $A; pwd; umask; cut -d" " -f5,6,7 /proc/self/stat`)
	p.Exec.Env = []string{"A=1", "HOME=/root", "A=2=3"}
	p.Exec.Dir = "/usr"
	b := mustStart(t, p)
	b.ended()
	got := strings.Split(b.logs.String(), "\n")
	want := []string{"info " + defaultPath + " /root 3 com.example.test 2=3", "info /usr", "info 0022"}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("%q, want %q", got[i], w)
		}
	}
	// Process group, session, terminal.
	if f := strings.Fields(got[3]); len(f) != 4 || f[1] != f[2] || f[3] != "0" {
		t.Errorf("%q: not the leader of a session without a terminal", got[3])
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("script", "#!/bin/sh\necho $0\n", 0o755)
	write("plain", "#!/bin/sh\n", 0o644)
	write("lost", "#!/nosuch/interpreter\n", 0o755)
	write("text", "echo\n", 0o755)
	for _, c := range []struct {
		name, dir, path string
		code            int
		detail, out     string
	}{
		{name: "./script", dir: dir, out: "info ./script"},
		{name: filepath.Join(dir, "script"), out: "info " + filepath.Join(dir, "script")},
		{name: "script", path: "/nosuch:" + dir, out: "info " + filepath.Join(dir, "script")},
		{name: "script", dir: dir, path: ":/bin", out: "info ./script"},
		{name: "nosuch", code: 127, detail: "none of the directories of PATH (/usr/local/sbin"},
		{name: "/nosuch", code: 127, detail: "there is no /nosuch"},
		{name: "./script/x", dir: dir, code: 127, detail: "there is no"},
		{name: "plain", path: dir, code: 126, detail: "may not be executed (mode -rw-r--r--)"},
		{name: "/bin", code: 126, detail: "is a directory"},
		{name: "/dev/null", code: 126, detail: "is not a file"},
		{name: "./lost", dir: dir, code: 127, detail: "interpreter"},
		{name: "./text", dir: dir, code: 126, detail: "#!"},
		{name: "/bin/sh", dir: "/nosuch", code: 126, detail: "cannot begin in its directory"},
		{name: "/bin/sh", dir: "/dev/null", code: 126, detail: "not a directory"},
	} {
		p := program(c.name)
		p.Exec.Dir = c.dir
		if c.path != "" {
			p.Exec.Env = []string{"PATH=" + c.path}
		}
		b, err := start(t, p)
		if c.code == 0 {
			if err != nil {
				t.Errorf("%+v: %v", c, err)
			} else if b.ended(); b.logs.String() != c.out {
				t.Errorf("%+v: %s", c, b.logs)
			}
			continue
		}
		var x *engine.Exit
		if !errors.As(err, &x) || x.Cause != mp.CauseExited || x.Code != c.code || !strings.Contains(x.Detail, c.detail) || !strings.Contains(x.Detail, c.name) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The program has the descriptors that came for it, and nobody else has: its
// output ends when it does.
func TestStdio(t *testing.T) {
	var mine, its [3]*os.File
	for i := range its {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if mine[i], its[i] = r, w; i == 0 {
			mine[i], its[i] = w, r
		}
	}
	p := program("busybox", "sh", "-c", "cat; echo e >&2; exit 4")
	p.Exec.Stdio = its[:]
	b := mustStart(t, p)
	mine[0].WriteString("through")
	mine[0].Close()
	for i, want := range map[int]string{1: "through", 2: "e\n"} {
		if got, err := io.ReadAll(mine[i]); string(got) != want {
			t.Errorf("%d: %q, %v", i, got, err)
		}
	}
	if x := b.ended(); x.Code != 4 || b.logs.String() != "" {
		t.Errorf("%v, %s", x, b.logs)
	}
}

func TestSignal(t *testing.T) {
	b := shell(t, `trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.1; done`)
	b.waitFor("info ready")
	if err := b.Signal(15); err != nil {
		t.Fatal(err)
	}
	if x := b.ended(); x.Code != 9 || !strings.Contains(b.logs.String(), "\ninfo got") {
		t.Errorf("%v, %s", x, b.logs)
	}
	if err := b.Signal(15); !errors.Is(err, mp.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// Who is stopped has not ended.
func TestStopped(t *testing.T) {
	b := shell(t, `kill -STOP $$; echo on; exit 6`)
	for state(t, b.child.pid) != "T" {
	}
	if err := b.Signal(int(syscall.SIGCONT)); err != nil {
		t.Fatal(err)
	}
	if x := b.ended(); x.Code != 6 || b.logs.String() != "info on" {
		t.Errorf("%v, %s", x, b.logs)
	}
}

// state is the third field of /proc/PID/stat (proc(5)).
func state(t *testing.T, pid int) string {
	b, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return after[:1]
}

func TestRunCancelled(t *testing.T) {
	b := &bench{t: t, logs: &logs{}}
	b.Engine = New(b.logs)
	if _, err := b.Load(context.Background(), program("busybox", "sleep", "1000")); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
