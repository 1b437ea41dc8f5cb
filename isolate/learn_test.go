package isolate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"golang.org/x/sys/unix"
)

// learning is a native program whose filter asks about each call.
func learning(t *testing.T, command ...string) Spec {
	t.Helper()
	filters, err := compile.Learn()
	if err != nil {
		t.Fatal(err)
	}
	s := nativeSpec(t, root(t), nil, command...)
	s.Learn, s.Filter = true, filters.Marshal()
	s.Files[1] = memory(t, filters)
	s.Env = append(s.Env, "LEARN=1")
	return s
}

// listener takes the worker's seccomp listener, as soon as there is one.
func listener(t *testing.T, w *Worker) int {
	t.Helper()
	for {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.Pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range fds {
			name := fmt.Sprintf("/proc/%d/fd/%s", w.Pid, e.Name())
			if target, _ := os.Readlink(name); target != "anon_inode:seccomp notify" {
				continue
			}
			var number, fd int
			fmt.Sscan(e.Name(), &number)
			if err := w.control(func(pidfd int) { fd, err = unix.PidfdGetfd(pidfd, number, 0) }); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			return fd
		}
		time.Sleep(time.Millisecond)
	}
}

// letPass lets calls pass until there is nobody left to make one, or until it
// has let most pass, and counts them. See seccomp_unotify(2).
func letPass(listener, most int) (calls int) {
	const receive, send = 0xc0502100, 0xc0182101
	for calls < most {
		p := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err == unix.EINTR {
			continue
		}
		if p[0].Revents&unix.POLLIN == 0 {
			return calls
		}
		var call [80]byte // struct seccomp_notif, which begins with its id
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), receive, uintptr(unsafe.Pointer(&call))); errno != 0 {
			continue // the call was interrupted
		}
		answer := struct {
			id           [8]byte
			value        int64
			error, flags uint32
		}{id: [8]byte(call[:8]), flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		unix.Syscall(unix.SYS_IOCTL, uintptr(listener), send, uintptr(unsafe.Pointer(&answer)))
		calls++
	}
	return calls
}

// refused reports whether this kernel has no MDWE, where nobody may learn, and
// sees to it that a start for it is refused by that lock's name.
func refused(t *testing.T, l *Launcher) bool {
	t.Helper()
	if lock.InKernel(lock.MDWE) {
		return false
	}
	s := learning(t, "/bin/true")
	s.ID, s.Stderr = "a", os.Stderr
	_, err := l.Start(s)
	if missing, ok := errors.AsType[*lock.MissingError](err); !ok || missing.Name != lock.MDWE {
		t.Errorf("%v, want %q missing", err, lock.MDWE)
	}
	return true
}

// A worker that learns works as any other, and is never taken for a sealed one.
func TestLearningWorker(t *testing.T) {
	l := openNative(t)
	if refused(t, l) {
		return
	}
	w, r := begin(t, l, learning(t, "/bin/sh", "-c", "echo ready; cat /proc/self/status | grep Seccomp_filters; sleep 1000"))
	fd := listener(t, w)
	calls := make(chan int)
	go func() { calls <- letPass(fd, math.MaxInt) }()
	ready(t, r)
	if line, _ := r.ReadString('\n'); strings.Join(strings.Fields(line), " ") != "Seccomp_filters: 1" {
		t.Errorf("read %q", line)
	}
	found := verified(t, w)
	if got := missing(found); got != nil {
		t.Errorf("found missing: %v: %+v", got, found)
	}
	if got := found[lock.Seccomp]; !strings.Contains(got.Want, "refuses nothing") || !strings.Contains(got.Found, "refuses nothing") {
		t.Errorf("the filter is found to be %+v", got)
	}
	w.Kill()
	finish(t, w)
	if n := <-calls; n < 100 {
		t.Errorf("%d calls were asked about", n)
	}
	unix.Close(fd)
}

// When nobody answers any more no call succeeds, and a program ends that looks at
// what its calls give.
func TestLearningWorkerWithoutAListener(t *testing.T) {
	l := openNative(t)
	if refused(t, l) {
		return
	}
	w, r := begin(t, l, learning(t, "/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=1"))
	fd := listener(t, w)
	if n := letPass(fd, 2000); n != 2000 {
		t.Errorf("%d calls were asked about", n)
	}
	unix.Close(fd)
	io.Copy(io.Discard, r)
	if e := finish(t, w); e.Code == 0 && e.Signal == 0 {
		t.Errorf("ended with %+v", e)
	}
}

// Whether a filter asks or decides is nobody's secret, and a worker is started
// with what was said.
func TestLearningIsSaid(t *testing.T) {
	l := openNative(t)
	for what, change := range map[string]func(*Spec){
		"a filter that asks, and was not asked for": func(s *Spec) { s.Learn = false },
		"a filter that decides, for learning":       func(s *Spec) { s.Filter = filters(t, seccomp.RoleNative).Marshal() },
		"no filter, for learning":                   func(s *Spec) { s.Filter = nil },
	} {
		t.Run(what, func(t *testing.T) {
			s := learning(t, "/bin/true")
			s.ID, s.Stderr = "a", os.Stderr
			change(&s)
			if w, err := l.Start(s); err == nil {
				w.Kill()
				finish(t, w)
				t.Error("started")
			}
		})
	}
}
