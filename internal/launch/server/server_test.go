package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"golang.org/x/sys/unix"
)

func TestEndsAreTold(t *testing.T) {
	for mode, want := range map[string]launch.Exited{
		"exit":    {Code: 7},
		"crash":   {Code: 2},
		"memory":  {Signal: int(syscall.SIGKILL), OOM: true},
		"syscall": {Signal: int(syscall.SIGSYS), Syscall: "sethostname"},
	} {
		t.Run(mode, func(t *testing.T) {
			r := dial(t)
			r.must(t, "a", mode)
			got := r.exited(t)
			if got.CPUMicros == 0 || got.PeakBytes == 0 {
				t.Errorf("nothing was used: %+v", got)
			}
			got.CPUMicros, got.PeakBytes = 0, 0
			if want.ID = "a"; !reflect.DeepEqual(got, want) {
				t.Errorf("told %+v, want %+v", got, want)
			}
		})
	}
}

func TestStartedIsWhoItIs(t *testing.T) {
	r := dial(t)
	j := r.must(t, "a", "sleep")
	if start, err := isolate.StartTime(j.Pid); start != j.StartTime || err != nil {
		t.Errorf("started %+v, process started at %d %v", j.Started, start, err)
	}
	if err := unix.PidfdSendSignal(int(j.pidfd.Fd()), unix.SIGKILL, nil, 0); err != nil {
		t.Error(err)
	}
	if e := r.exited(t); e.Signal != int(syscall.SIGKILL) || e.OOM {
		t.Errorf("told %+v", e)
	}
	if j.Policy == (mp.Digest{}) {
		t.Error("no policy")
	}
}

func TestFreezeThawLimitStatKill(t *testing.T) {
	r := dial(t)
	j := r.must(t, "a", "sealed")
	j.said.ReadString('\n')
	state := func() launch.Stat {
		t.Helper()
		s, err := r.client.Stat(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := r.client.Freeze(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if s := state(); s.State != "frozen" {
		t.Errorf("state %q", s.State)
	}
	if err := r.client.Thaw(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	limits := mp.DefaultLimits()
	limits.Memory, limits.CPU = 128<<20, 2
	if err := r.client.Limit(t.Context(), "a", limits); err != nil {
		t.Error(err)
	}
	s := state()
	if s.State != "running" || s.Pid != j.Pid || s.CPU == 0 || s.Memory == 0 || s.Peak < s.Memory || s.Pids == 0 {
		t.Errorf("stat %+v", s)
	}
	// The birth pipe is what a sealed worker has closed and this one has not.
	for _, l := range s.Locks {
		if !l.OK && l.Name != string(lock.Descriptors) {
			t.Errorf("%s: found %q, want %q", l.Name, l.Found, l.Want)
		}
	}
	if err := r.client.Kill(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if e := r.exited(t); e.Signal != int(syscall.SIGKILL) {
		t.Errorf("told %+v", e)
	}
	if err := r.client.Kill(t.Context(), "a"); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("killing nobody: %v", err)
	}
}

func TestRefusalsLeaveTheConnection(t *testing.T) {
	r := dial(t)
	tooMuch, tooLittle := mp.DefaultLimits(), mp.DefaultLimits()
	tooMuch.Memory = 512 << 20
	tooLittle.Pids = 1
	for what, err := range map[string]error{
		"role":        second(r.start(t, "a", "root-shell", mp.DefaultLimits())),
		"too much":    second(r.start(t, "a", "spin", tooMuch)),
		"too little":  second(r.start(t, "a", "spin", tooLittle)),
		"stat nobody": second(r.client.Stat(t.Context(), "b")),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
		t.Log(err)
	}
	r.must(t, "a", "spin")
	if _, err := r.start(t, "a", "spin", mp.DefaultLimits()); err == nil {
		t.Error("two workers of one name")
	}
}

func second[T any](_ T, err error) error { return err }

func TestSlotsRunOutAndComeBack(t *testing.T) {
	r := dial(t)
	for i := range 8 {
		r.must(t, fmt.Sprintf("w%d", i), "sleep")
	}
	if _, err := r.start(t, "more", "sleep", mp.DefaultLimits()); err == nil || !strings.Contains(err.Error(), "slots") {
		t.Errorf("a ninth worker: %v", err)
	}
	r.client.Kill(t.Context(), "w3")
	r.exited(t)
	r.must(t, "more", "sleep")
}

func TestManyAtOnce(t *testing.T) {
	r := dial(t)
	var wg sync.WaitGroup
	var ends sync.Map
	for i := range 24 {
		ends.Store(mp.InstanceID(fmt.Sprintf("w%d", i)), true)
	}
	for slot := range 6 {
		wg.Go(func() {
			for i := range 4 {
				r.must(t, fmt.Sprintf("w%d", slot*4+i), "exit")
				for { // wait until its slot is free again
					if _, err := r.client.Stat(t.Context(), mp.InstanceID(fmt.Sprintf("w%d", slot*4+i))); errors.Is(err, mp.ErrNotFound) {
						break
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for range 24 {
		e := r.exited(t)
		if _, ok := ends.LoadAndDelete(e.ID); !ok || e.Code != 7 {
			t.Errorf("told %+v", e)
		}
	}
	wg.Wait()
}

func TestStartThatNobodyWaitsFor(t *testing.T) {
	r := dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := r.client.Start(ctx, launch.Start{ID: "a", Role: "sleep", Limits: mp.DefaultLimits(), Channel: os.Stdin, Birth: os.Stdin, Stderr: os.Stderr})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if e := r.exited(t); e.ID != "a" || e.Signal != int(syscall.SIGKILL) {
		t.Errorf("told %+v", e)
	}
}

func TestSupervisorGone(t *testing.T) {
	r := dial(t)
	var jobs []*job
	for i := range 4 {
		jobs = append(jobs, r.must(t, fmt.Sprintf("w%d", i), "spin"))
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	r.served <- nil // for the clean-up, which asks again
	for _, j := range jobs {
		if err := unix.Kill(j.Pid, 0); err != unix.ESRCH {
			t.Errorf("process %d: %v", j.Pid, err)
		}
	}
	if _, err := r.client.Stat(t.Context(), "w0"); err == nil {
		t.Error("a closed client answers")
	}
	for range r.client.Exits() {
	}
}

// What breaks the protocol ends the connection.
func TestBrokenPackets(t *testing.T) {
	start := `{"seq":1,"op":"start","id":"a","role":"spin","limits":{"memory":67108864,"pids":32,"cpu":1,"call_timeout":1000000000,"log_rate":1}}`
	for what, packet := range map[string]string{
		"empty object":      `{}`,
		"not JSON":          `start`,
		"cut off":           start[:len(start)-2],
		"two objects":       `{"seq":1,"op":"stat","id":"a"} {"seq":2,"op":"stat","id":"a"}`,
		"unknown member":    `{"seq":1,"op":"stat","id":"a","path":"/"}`,
		"unknown request":   `{"seq":1,"op":"exec","id":"a"}`,
		"no number":         `{"op":"stat","id":"a"}`,
		"id goes up":        `{"seq":1,"op":"stat","id":"../a"}`,
		"id with a NUL":     `{"seq":1,"op":"stat","id":"a\u0000"}`,
		"no descriptors":    start,
		"no limits":         `{"seq":1,"op":"limit","id":"a"}`,
		"limits for a kill": `{"seq":1,"op":"kill","id":"a","limits":{"memory":1,"pids":1,"cpu":1,"call_timeout":1,"log_rate":1}}`,
		"role for a kill":   `{"seq":1,"op":"kill","id":"a","role":"js"}`,
		"wrong type":        `{"seq":-1,"op":"stat","id":"a"}`,
		"too long":          `{"seq":1,"op":"stat","id":"` + strings.Repeat("a", launch.MaxPacket) + `"}`,
	} {
		t.Run(what, func(t *testing.T) {
			broken(t, func(fd int) error { return unix.Send(fd, []byte(packet), 0) })
		})
	}
	t.Run("descriptors for a stat", func(t *testing.T) {
		broken(t, func(fd int) error {
			return unix.Sendmsg(fd, []byte(`{"seq":1,"op":"stat","id":"a"}`), unix.UnixRights(0), nil, 0)
		})
	})
	t.Run("too many descriptors", func(t *testing.T) {
		broken(t, func(fd int) error {
			return unix.Sendmsg(fd, []byte(start), unix.UnixRights(0, 1, 2, 0, 1, 2), nil, 0)
		})
	})
}

// broken sends what breaks the protocol: the server must hang up, and say so.
func broken(t *testing.T, send func(fd int) error) {
	t.Helper()
	ours, theirs := pair(t)
	defer ours.Close()
	r := serve(t, theirs)
	if err := send(int(ours.Fd())); err != nil {
		t.Fatal(err)
	}
	if n, err := ours.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the connection gives %d bytes and %v, want its end", n, err)
	}
	if err := <-r.served; err == nil {
		t.Error("the server ended as if in order")
	} else {
		t.Log(err)
	}
}

func BenchmarkStartToFirstByte(b *testing.B) {
	r := dial(b)
	for b.Loop() {
		j := r.must(b, "a", "spin")
		j.said.ReadString('\n')
		b.StopTimer()
		r.client.Kill(context.Background(), "a")
		r.exited(b)
		b.StartTimer()
	}
}
