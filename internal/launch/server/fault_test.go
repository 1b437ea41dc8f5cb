package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// patience is for the kernel's log, which says no more than ten things in five
// seconds, whoever makes it say them (printk_ratelimit in proc_sys_kernel(5)): for
// how long a fault is tried again that was told without its class. There is a new
// five seconds in it.
const patience = 6 * time.Second

// persist has a fault happen again until its class is told, or there is no more
// patience.
func persist(fault func() *launch.Fault) *launch.Fault {
	for begun := time.Now(); ; time.Sleep(250 * time.Millisecond) {
		if f := fault(); f.Class != mp.FaultUnknown || time.Since(begun) > patience {
			return f
		}
	}
}

// told gives a fault that was told before the last end, one of a class if
// there is any.
func (r *rig) told(t *testing.T) (f *launch.Fault) {
	t.Helper()
	for {
		select {
		case n := <-r.client.Notices():
			if n.Fault != nil && (f == nil || f.Class == mp.FaultUnknown) {
				f = n.Fault
			}
		default:
			return f
		}
	}
}

// kernelLog is a reader of the kernel's log beside the server's.
type kernelLog int

func openKernelLog(t *testing.T) kernelLog {
	t.Helper()
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Seek(fd, 0, unix.SEEK_END)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return kernelLog(fd)
}

// suppressed reports whether the kernel has said since that it kept quiet: that
// comes with the first thing that it says, or would, after the five seconds.
func (l kernelLog) suppressed(t *testing.T) bool {
	b := make([]byte, 8<<10)
	for {
		n, err := unix.Read(int(l), b)
		switch err {
		case nil:
		case unix.EPIPE, unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		default:
			t.Fatal(err)
		}
		if text, ok := kernelText(b[:n]); ok && saysSuppressed(text) {
			t.Log(text)
			return true
		}
	}
}

// saysSuppressed knows the functions that share faults' bound: those that tell of
// faults themselves, and what logs refused calls where no daemon does.
func saysSuppressed(text string) bool {
	who, rest, _ := strings.Cut(text, ": ")
	switch who {
	case "show_signal", "show_signal_msg", "arm64_show_signal", "kauditd_printk_skb":
		return strings.HasSuffix(rest, "callbacks suppressed")
	}
	return false
}

// The class of a fault is known for the worker's own process, and for a child
// that is gone as soon as it has died.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		how    string
		signal unix.Signal
		class  mp.Fault
		is     func(address uint64) bool
	}{
		{"null", unix.SIGSEGV, mp.FaultNull, func(a uint64) bool { return a == 0x18 }},
		{"wild", unix.SIGSEGV, mp.FaultWild, func(a uint64) bool { return a == 0x123456789000 }},
		{"upper", unix.SIGSEGV, mp.FaultWild, func(a uint64) bool { return a == 0 }},
		{"execute", unix.SIGSEGV, mp.FaultExec, func(a uint64) bool { return a != 0 }},
		{"guard", unix.SIGSEGV, mp.FaultGuard, func(a uint64) bool { return a != 0 }},
		{"illegal", unix.SIGILL, mp.FaultIllegal, func(a uint64) bool { return a == 0 }},
	} {
		for _, who := range []string{"fault", "child"} {
			t.Run(who+" "+test.how, func(t *testing.T) {
				log, r := openKernelLog(t), dialMisuse(t, who+" "+test.how)
				f := persist(func() *launch.Fault { return r.fault(t, who+" "+test.how, test.signal) })
				if f.ID != "a" || f.Signal != int(test.signal) {
					t.Errorf("told %+v", f)
				}
				if f.Class == mp.FaultUnknown && log.suppressed(t) {
					return // somebody else had all that the log gives
				}
				if f.Class != test.class || !test.is(f.Address) || f.Command != "a]: x[1] trap " {
					t.Errorf("told %+v", f)
				}
			})
		}
	}
}

// fault has a worker run into a fault, and gives what was told of it.
func (r *rig) fault(t *testing.T, mode string, signal unix.Signal) *launch.Fault {
	t.Helper()
	j := r.must(t, "a", mode)
	if e := r.exited(t); e.Signal != int(signal) && e.Code != 128+int(unix.SIGSEGV) {
		t.Fatalf("told %+v", e)
	}
	f := r.told(t)
	if f == nil {
		said, _ := io.ReadAll(j.said)
		t.Fatalf("nothing was told of the fault; the worker says %q", said)
	}
	return f
}

// Of what the kernel's log does not say there is the signal.
func TestFaultWithoutALine(t *testing.T) {
	for _, who := range []string{"fault", "child"} {
		r := dialMisuse(t, who+" bus")
		r.must(t, "a", who+" bus")
		r.exited(t)
		if f := r.told(t); f == nil || f.Signal != int(unix.SIGBUS) || f.Class != mp.FaultUnknown || f.Pid == 0 || f.Count != 1 {
			t.Errorf("%s: told %+v", who, f)
		}
	}
}
