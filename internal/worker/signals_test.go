package worker

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The signals that Go's runtime has no handler for, and two that it may have
// none for (runtime/sigtab_linux_generic.go; 33 only in pure Go).
var unhandled = []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT, 32, 34}

// signalSelf signals the thread that it runs on, which has it when this returns.
func signalSelf(s unix.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), s)
}

// The handler of the time until the program is there does nothing, and the
// program has the default action in its place. A failure ends the test, or stops
// it: these are the default actions.
func TestIdleHandler(t *testing.T) {
	idle, err := idleAction()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range unhandled {
		old, err := action(s, &idle)
		if err != nil {
			t.Fatal(err)
		}
		defer action(s, &old)
		for range 1000 {
			if err := signalSelf(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	status, err := exec.Command("/bin/cat", "/proc/self/status").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SigIgn", "SigCgt"} {
		_, after, _ := bytes.Cut(status, []byte("\n"+name+":\t"))
		var set uint64
		if _, err := fmt.Fscanf(bytes.NewReader(after), "%x", &set); err != nil {
			t.Fatal(err)
		}
		for _, s := range unhandled {
			if set&(1<<(s-1)) != 0 {
				t.Errorf("signal %d is in %s of the program", s, name)
			}
		}
	}
}

// The runtime's own handler would not do: this is what ends a process that
// gives it to a signal that the runtime does not handle.
func TestRuntimeHandlerIsNotIdle(t *testing.T) {
	if os.Getenv("RUNTIME_HANDLER") != "" {
		a, err := action(sigPreempt, nil)
		if err == nil {
			_, err = action(34, &a)
		}
		if err == nil {
			err = signalSelf(34)
		}
		t.Log("survived", err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "RUNTIME_HANDLER=1")
	if out, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(out), "survived") {
		t.Errorf("%v; %s", err, out)
	}
}
