package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// crashing dies as the Go runtime does of a bad pointer.
func crashing(w *fakeWorker, _ *ipc.Conn) ([]byte, error) {
	w.stderr.WriteString(crashAt("0x18"))
	return nil, &exitNow{Code: codeGoCrash}
}

func (r *rig) denied(id, syscall string, count uint64) {
	r.launcher.notices <- launch.Notice{Denied: &launch.Denied{
		ID: mp.InstanceID(id), Pid: 5, Command: "evil", Syscall: syscall, Arch: "x86_64", Action: "refused", Count: count,
	}}
}

func TestDenied(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	r.denied("nobody", "mount", 1)
	r.denied(id, "mount", 1)
	r.denied(id, "bpf", 3)
	r.denied(id, "mount", 1)
	r.until("they are told", func() bool { return len(r.eventsOf(id, eventDenied)) == 3 })
	e := r.eventsOf(id, eventDenied)[1]
	want := map[string]string{"syscall": "bpf", "arch": "x86_64", "action": "refused", "count": "3", "pid": "5", "command": "evil"}
	if fmt.Sprint(e) != fmt.Sprint(want) {
		t.Errorf("event %v", e)
	}
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if d := in.GetDenials(); len(d) != 2 || d[0].GetSyscall() != "bpf" || d[0].GetCount() != 3 || d[1].GetSyscall() != "mount" || d[1].GetCount() != 2 {
		t.Errorf("denials %v", d)
	}
	if n := r.Metrics().Denials; n != 5 {
		t.Errorf("%d in all", n)
	}
}

// What a program can cause as often as it likes pushes out nobody else's events,
// and no memory grows with it.
func TestNoiseIsBounded(t *testing.T) {
	r := newRig(t)
	id, quiet := r.mustStart(), r.mustStart()
	r.denied(quiet, "mount", 1)
	for n := range 5 * maxEvents {
		r.denied(id, fmt.Sprintf("call%d", n), 1)
	}
	i, err := r.find(id)
	if err != nil {
		t.Fatal(err)
	}
	r.until("all are counted", func() bool { return i.witness.count() == 5*maxEvents })
	if n := len(i.witness.list()); n != maxDenials {
		t.Errorf("%d kinds are kept", n)
	}
	if n := len(r.eventsOf(id, eventDenied)); n == 0 || n > maxShare {
		t.Errorf("%d events", n)
	}
	if n := len(r.eventsOf(quiet, eventDenied)); n != 1 {
		t.Errorf("%d events of the neighbour", n)
	}
	if kinds := r.kinds(id); kinds[0] != eventStarted || kinds[1] != eventRunning {
		t.Errorf("its own first events are gone: %v", kinds[:2])
	}
}

// However slowly they come, a program has its share of the events and no more.
func TestShareOfEvents(t *testing.T) {
	r := newRig(t)
	id, quiet := r.mustStart(), r.mustStart()
	for n := range 3 * maxEvents {
		r.events.emit(eventDenied, mp.InstanceID(id), "app", "n", itoa(n))
	}
	all := r.eventsOf(id, eventDenied)
	if len(all) != maxShare+1 && len(all) != maxShare || all[len(all)-1]["n"] != itoa(3*maxEvents-1) {
		t.Errorf("%d events, the last %v", len(all), all[len(all)-1])
	}
	if kinds := r.kinds(quiet); len(kinds) != 2 {
		t.Errorf("the neighbour's events are %v", kinds)
	}
}

func TestNoiseTellsWhatItHid(t *testing.T) {
	now := time.Unix(0, 0)
	n := newNoise(now)
	for range noiseBurst {
		if hidden, ok := n.pass(now); hidden != 0 || !ok {
			t.Fatalf("%d, %v", hidden, ok)
		}
	}
	for range 7 {
		if _, ok := n.pass(now); ok {
			t.Fatal("more than a burst")
		}
	}
	if hidden, ok := n.pass(now.Add(time.Second)); hidden != 7 || !ok {
		t.Errorf("%d, %v", hidden, ok)
	}
}

// Each name is told once, however many come before it; more of a kind are not.
func TestFirstRefusalsAreTold(t *testing.T) {
	now := time.Unix(0, 0)
	w := newWitness(now)
	for n := range 2 * noiseBurst {
		if _, tell := w.deny(launch.Denied{Syscall: "call" + itoa(n), Count: 1}, now); !tell {
			t.Errorf("kind %d is not told", n)
		}
	}
	told := 0
	for range 10 * noiseBurst {
		if _, tell := w.deny(launch.Denied{Syscall: "call0", Count: 1}, now); tell {
			told++
		}
	}
	if told > noiseBurst {
		t.Errorf("%d of one kind are told", told)
	}
	for n := range 2 * maxFirsts {
		w.deny(launch.Denied{Syscall: "other" + itoa(n), Count: 1}, now)
	}
	if _, tell := w.deny(launch.Denied{Syscall: "one more", Count: 1}, now); tell {
		t.Error("there is no end to the names that are told")
	}
}

func TestFaults(t *testing.T) {
	t.Run("the kernel's", func(t *testing.T) {
		r := newRig(t)
		r.launcher.next(func(w *fakeWorker) launch.Exited {
			i := r.list(false)[0]
			r.launcher.notices <- launch.Notice{Fault: &launch.Fault{ID: i.id, Pid: 9, Command: "x", Signal: 11, Class: mp.FaultExec, Address: 0x1000, IP: 0x1000}}
			return launch.Exited{Signal: 11}
		})
		if _, err := r.start(); err == nil {
			t.Fatal("it started")
		}
		id := string(r.list(true)[0].id)
		if e := r.exit(id); e.Cause != mp.CauseMemoryViolation || e.Fault != mp.FaultExec {
			t.Errorf("ended: %v", e)
		}
		faults := r.eventsOf(id, eventFault)
		if len(faults) != 1 || faults[0]["class"] != "execute of data" || faults[0]["address"] != "0x1000" || faults[0]["signal"] != "11" {
			t.Errorf("events %v", faults)
		}
	})
	t.Run("the runtime's", func(t *testing.T) {
		r := newRig(t)
		r.launcher.next(onBoot(crashing))
		res, err := r.start()
		if err != nil {
			t.Fatal(err)
		}
		if faults := r.eventsOf(res.GetId(), eventFault); len(faults) != 1 || faults[0]["class"] != "null page" {
			t.Errorf("events %v", faults)
		}
	})
	t.Run("the engine's", func(t *testing.T) {
		r := newRig(t)
		r.launcher.next(onBoot(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			say(conn, wire.MethodEnding, &wire.Ending{Cause: mp.CauseMemoryViolation, Fault: mp.FaultGuard})
			return nil, &exitNow{Code: codeCrashed}
		}))
		res, err := r.start()
		if err != nil {
			t.Fatal(err)
		}
		if faults := r.eventsOf(res.GetId(), eventFault); len(faults) != 1 || faults[0]["class"] != "guard page" {
			t.Errorf("events %v", faults)
		}
	})
}

func TestLearn(t *testing.T) {
	r := newRig(t)
	if _, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Learn: true}); !errors.Is(err, control.ErrBadRequest) || !strings.Contains(err.Error(), "learn = true") {
		t.Errorf("without a launcher that records: %v", err)
	}
	r = newRig(t, func(c *Config) { c.Learn = true })
	r.launcher.next(func(w *fakeWorker) launch.Exited {
		e := (&nativeWorker{}).play(w)
		e.Learned = []launch.Learned{{Syscall: "write", Count: 5, Action: "allow"}, {Syscall: "mount", Count: 1, Action: "errno EPERM"}, {Syscall: "read", Count: 2, Action: "allow"}}
		return e
	})
	res, err := r.client.StartFiles(context.Background(), &controlpb.StartRequest{Learn: true, Native: &controlpb.Native{Root: true, Args: []string{"/bin/sh", "-c", "a > b"}}}, openDir(t))
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	if in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id}); err != nil || !in.GetLearning() {
		t.Errorf("inspected %v, %v", in.GetLearning(), err)
	}
	r.launcher.mu.Lock()
	if !r.launcher.starts[0].Learn {
		t.Error("the launcher was not told")
	}
	r.launcher.mu.Unlock()
	early, err := r.client.Learned(context.Background(), &controlpb.LearnedRequest{Id: id})
	if err != nil || early.GetComplete() || early.GetManifestJson() != "" {
		t.Errorf("while it runs: %v, %v", early, err)
	}
	if _, err := r.client.Signal(context.Background(), &controlpb.SignalRequest{Id: id, Number: 15}); err != nil {
		t.Fatal(err)
	}
	r.exit(id)
	got, err := r.client.Learned(context.Background(), &controlpb.LearnedRequest{Id: id})
	if err != nil || !got.GetComplete() || len(got.GetSyscalls()) != 3 || got.GetSyscalls()[1].GetAction() != "errno EPERM" {
		t.Fatalf("learned %v, %v", got, err)
	}
	const want = `{
  "runtime": "native",
  "entry": "root/bin/sh",
  "native": {
    "args": [
      "-c",
      "a > b"
    ],
    "syscalls": [
      "read",
      "write"
    ]
  },
  "limits": {
    "memory": "16M"
  }
}`
	if got.GetManifestJson() != want {
		t.Errorf("suggested %s", got.GetManifestJson())
	}
	r.launcher.next(honest)
	if _, err := r.client.Learned(context.Background(), &controlpb.LearnedRequest{Id: r.mustStart()}); !errors.Is(err, control.ErrBadRequest) {
		t.Errorf("of one that was not watched: %v", err)
	}
}

func TestHeadroom(t *testing.T) {
	l := mp.DefaultLimits() // 64 MiB, 32 tasks, 1 processor
	for _, tt := range []struct {
		seen peaks
		want suggestedLimits
	}{
		{peaks{}, suggestedLimits{}},
		{peaks{memory: 1 << 20, pids: 1, cpu: 0.01}, suggestedLimits{"16M", "", 16, 0.1}},
		{peaks{memory: 20 << 20, pids: 11, cpu: 0.2}, suggestedLimits{"32M", "", 24, 0.3}},
		{peaks{memory: 64 << 20, pids: 32, cpu: 1}, suggestedLimits{"64M", "", 32, 1}}, // never more than it had
	} {
		if got := withHeadroom(l, tt.seen); got != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.seen, got, tt.want)
		}
	}
	// The soft limit that stays in the manifest must not be above the new hard one.
	l.MemorySoft = 24 << 20
	for memory, want := range map[uint64]string{1 << 20: "16M", 14 << 20: ""} {
		if got := withHeadroom(l, peaks{memory: memory}); got.MemorySoft != want {
			t.Errorf("%d bytes seen: %+v, want the soft limit %q", memory, got, want)
		}
	}
}
