package worker_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

func TestNativeLife(t *testing.T) {
	h := beginNative(t)
	sealed := <-h.sealed
	if len(sealed.Locks) < 8 || sealed.Landlock < 1 || !strings.HasPrefix(sealed.Image, "none") {
		t.Errorf("sealed: %+v", sealed)
	}
	err := h.bootNative(wire.Native{
		Args: []string{"sh", "-c", `echo $A $MP_APP_ID $$ $PPID; pwd; echo e >&2; read -r x <&3; echo "$x"; echo '{"jsonrpc":"2.0","id":1,"result":[42]}' >&3; exit 5`},
		Env:  []string{"A=b"}, Dir: "/bin",
	})
	if err != nil {
		t.Fatalf("%v; %s", err, &h.stderr)
	}
	if r, err := h.call("answer", `{"a":1}`); err != nil || string(r.Output) != "[42]" {
		t.Errorf("%+v, %v", r, err)
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseExited, Code: 5}, 5)
	log := h.log()
	for _, line := range []string{"info b com.example.test ", "info /bin\n", "error e\n", `info {"jsonrpc":"2.0","id":1,"method":"answer","params":{"a":1}}` + "\n"} {
		if !strings.Contains(log, line) {
			t.Errorf("%q is not in the log:\n%s", line, log)
		}
	}
	_, after, _ := strings.Cut(log, "info b com.example.test ")
	if line, _, _ := strings.Cut(after, "\n"); !strings.HasSuffix(line, " 1") {
		t.Errorf("%q: process 1 is not the parent", line)
	}
}

func TestNativeEnds(t *testing.T) {
	for _, c := range []struct {
		args []string
		want wire.Ending
		code int
	}{
		{[]string{"true"}, wire.Ending{Cause: mp.CauseExited}, 0},
		{[]string{"sh", "-c", "exit 71"}, wire.Ending{Cause: mp.CauseExited, Code: 71}, 71},
		{[]string{"sh", "-c", "kill -9 $$"}, wire.Ending{Cause: mp.CauseSignal, Signal: 9}, 137},
		{[]string{"sh", "-c", "kill -SEGV $$"}, wire.Ending{Cause: mp.CauseSignal, Signal: 11}, 139},
		{[]string{"nosuch"}, wire.Ending{Cause: mp.CauseExited, Code: 127, Detail: "cannot execute nosuch: it is in none of the directories of PATH"}, 127},
		{[]string{"/bin/nosuch"}, wire.Ending{Cause: mp.CauseExited, Code: 127, Detail: "there is no /bin/nosuch"}, 127},
		{[]string{"/dev/null"}, wire.Ending{Cause: mp.CauseExited, Code: 126, Detail: "is not a file"}, 126},
		{[]string{"/bin"}, wire.Ending{Cause: mp.CauseExited, Code: 126, Detail: "is a directory"}, 126},
		{[]string{"sh", "-c", "sleep 1000 & exit 3"}, wire.Ending{Cause: mp.CauseExited, Code: 3}, 3},
	} {
		t.Run(fmt.Sprint(c.args), func(t *testing.T) {
			h := beginNative(t)
			h.bootNative(wire.Native{Args: c.args}) // it may have ended before it answers
			h.wantEnd(c.want, c.code)
		})
	}
}

// Ends that the worker brings about.
func TestNativeIsEnded(t *testing.T) {
	t.Run("call limit", func(t *testing.T) {
		h := shell(t, "sleep 1000")
		if r, err := h.call("f", ""); err == nil {
			t.Errorf("%+v", r)
		}
		h.wantEnd(wire.Ending{Cause: mp.CauseCallLimit, Detail: "a call was not answered within 2s"}, 74)
	})
	for name, c := range map[string]struct{ script, detail string }{
		"garbage":     {"echo garbage >&3; sleep 1000", "a line is not JSON"},
		"long line":   {"cat /bin/busybox /bin/busybox | sh -c 'while :; do echo -n xxxxxxxxxxxxxxxx; done' >&3", "a line is too long"},
		"never reads": {`yes '{"jsonrpc":"2.0","id":"` + strings.Repeat("i", 250) + `","method":"nosuch` + strings.Repeat("x", 80) + `"}' >&3`, "it did not read"},
	} {
		t.Run(name, func(t *testing.T) {
			h := beginNative(t)
			m := &wire.Boot{AppID: "com.example.test", Heap: 1, TurnMillis: 5000, ResultBytes: 1, IPCRate: 1 << 30,
				Native: &wire.Native{Args: []string{"sh", "-c", c.script}}}
			if err := h.request(context.Background(), wire.MethodBoot, m, &wire.Booted{}); err != nil {
				t.Fatal(err)
			}
			h.wantEnd(wire.Ending{Cause: mp.CauseProtocol, Detail: c.detail}, 74)
		})
	}
}

// A program that asks without end waits, and calls come through.
func TestNativeFlood(t *testing.T) {
	h := shell(t, `yes '{"jsonrpc":"2.0","method":"app"}' >&3 & read -r x <&3; kill $!; exit 7`)
	if r, err := h.call("f", ""); err == nil {
		t.Errorf("%+v", r)
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseExited, Code: 7}, 7)
}

// A program that has closed its host descriptor lives on.
func TestNativeClosesHost(t *testing.T) {
	h := shell(t, "exec 3>&-; echo closed; sleep 1000")
	h.waitLog("info closed")
	if r, err := h.call("f", ""); err != nil || r.Error == nil || !strings.Contains(r.Error.Message, "closed") {
		t.Errorf("%+v, %v", r, err)
	}
	if err := h.signal(15); err != nil {
		t.Error(err)
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseSignal, Signal: 15}, 143)
}

func TestNativeSignal(t *testing.T) {
	h := shell(t, `trap 'echo hup' HUP; trap 'echo term; exit 9' TERM; echo ready; while :; do sleep 0.1; done`)
	h.waitLog("info ready")
	if err := h.signal(1); err != nil {
		t.Fatal(err)
	}
	h.waitLog("info hup")
	if err := h.signal(15); err != nil {
		t.Fatal(err)
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseExited, Code: 9}, 9)
	h.waitLog("info term")
}

func TestNativeStdio(t *testing.T) {
	h := beginNative(t)
	var ours, theirs [3]*os.File
	for i := range theirs {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if ours[i], theirs[i] = r, w; i == 0 {
			ours[i], theirs[i] = w, r
		}
	}
	err := h.bootNative(wire.Native{Args: []string{"sh", "-c", "cat; echo e >&2; exit 4"}, Stdio: true}, theirs[:]...)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range theirs {
		f.Close()
	}
	ours[0].WriteString("through")
	ours[0].Close()
	for i, want := range map[int]string{1: "through", 2: "e\n"} {
		if got, err := io.ReadAll(ours[i]); string(got) != want {
			t.Errorf("%d: %q, %v", i, got, err)
		}
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseExited, Code: 4}, 4)
	if h.log() != "" {
		t.Error(h.log())
	}
}

// A terminal controls the program: it makes a signal of what is typed.
func TestNativeTerminal(t *testing.T) {
	h := beginNative(t)
	master, slave := terminal(t)
	err := h.bootNative(wire.Native{
		Args:  []string{"sh", "-c", "trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.1; done"},
		Stdio: true, TTY: true,
	}, slave, slave, slave)
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(master)
	for in.Scan() && !strings.Contains(in.Text(), "ready") {
	}
	master.WriteString("\x03")
	for in.Scan() && !strings.Contains(in.Text(), "interrupted") {
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseExited, Code: 8}, 8)
}

// The program ends with its worker, and the worker with its channel.
func TestNativeChannelEnds(t *testing.T) {
	h := shell(t, "trap '' TERM HUP INT; echo ready; while :; do sleep 1000; done")
	h.waitLog("info ready")
	children := childrenOf(t, h.cmd.Process.Pid)
	if len(children) != 1 {
		t.Fatalf("children: %v", children)
	}
	h.conn.Close()
	if s := h.wait(); s.ExitStatus() != 71 {
		t.Errorf("status %#x, want exit code 71; %s", s, &h.stderr)
	}
	if _, err := os.Stat("/proc/" + children[0]); err == nil {
		t.Errorf("process %s is left", children[0])
	}
}

// What is for another role, or too early, is no message of our supervisor's.
func TestNativeSupervisorBreaksRule(t *testing.T) {
	ok := wire.Native{Args: []string{"true"}}
	for name, act := range map[string]func(h *host){
		"signal before boot": func(h *host) { h.signal(9) },
		"call before boot":   func(h *host) { h.call("f", "") },
		"boot of JavaScript": func(h *host) { h.boot("") },
		"stdio missing":      func(h *host) { h.bootNative(wire.Native{Args: ok.Args, Stdio: true}) },
		"stdio unannounced":  func(h *host) { h.bootNative(ok, os.Stdin, os.Stdout, os.Stderr) },
	} {
		t.Run(name, func(t *testing.T) {
			h := beginNative(t)
			act(h)
			if s := h.wait(); s.ExitStatus() != 73 {
				t.Errorf("status %#x, want exit code 73; %s", s, &h.stderr)
			}
		})
	}
	t.Run("native boot of JavaScript's worker", func(t *testing.T) {
		h := begin(t, variation{})
		h.waitSealed()
		h.bootNative(ok)
		if s := h.wait(); s.ExitStatus() != 73 {
			t.Errorf("status %#x; %s", s, &h.stderr)
		}
	})
	t.Run("signal to JavaScript", func(t *testing.T) {
		h := start(t, app)
		h.signal(15)
		if s := h.wait(); s.ExitStatus() != 73 {
			t.Errorf("status %#x; %s", s, &h.stderr)
		}
	})
}
