package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

func openFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// settleFDs waits until no more descriptors are open than before.
func settleFDs(t *testing.T, want int) {
	t.Helper()
	for range 3000 {
		if openFDs(t) <= want+1 { // the poller's own descriptor may have come
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d descriptors are open, there were %d before", openFDs(t), want)
}

// lines gives a program's console as "level text".
func (r *rig) lines(id string) (lines []string) {
	r.t.Helper()
	stream, err := r.client.Logs(context.Background(), &controlpb.LogsRequest{Id: id})
	if err != nil {
		r.t.Fatal(err)
	}
	defer stream.Close()
	for stream.Receive() {
		lines = append(lines, stream.Msg().GetLevel()+" "+stream.Msg().GetText())
	}
	if err := stream.Err(); err != nil {
		r.t.Fatal(err)
	}
	return lines
}

func TestLife(t *testing.T) {
	r := newRig(t)
	res, err := r.start()
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	if !mp.InstanceID(id).Valid() || !slices.Equal(res.GetExports(), []string{"echo"}) || res.GetExit() != nil {
		t.Errorf("started as %v", res)
	}
	r.alive(id)
	if _, err := r.call(id, "print", `"hello"`); err != nil {
		t.Error(err)
	}
	if lines := r.lines(id); !slices.Equal(lines, []string{`info "hello"`}) {
		t.Errorf("lines %q", lines)
	}
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if p := in.GetProgram(); p.GetState() != "running" || p.GetAppId() != "com.example.one" || p.GetCalls() != 2 || p.GetPid() < 1000 || p.GetMemoryBytes() != 2<<20 {
		t.Errorf("program %v", p)
	}
	if len(in.GetLocks()) != len(allLocks()) || in.GetImage() != "mapped" || in.GetEntry() != "app.js" {
		t.Errorf("inspected %v", in)
	}
	if c := in.GetChannel(); !strings.HasPrefix(c.GetHandshake(), "Noise_NNpsk0_25519_") || c.GetSentBytes() == 0 {
		t.Errorf("channel %v", c)
	}
	killed, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id})
	if err != nil || killed.GetExit().GetCause() != string(mp.CauseKilled) || killed.GetExit().GetStatus() != 137 {
		t.Errorf("killed: %v, %v", killed, err)
	}
	again, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id})
	if err != nil || again.GetExit().GetCause() != string(mp.CauseKilled) {
		t.Errorf("killed again: %v, %v", again, err)
	}
	_, err = r.call(id, "echo", "1")
	var failure *control.Error
	if !errors.Is(err, mp.ErrEnded) || !errors.As(err, &failure) || failure.Exit == nil || string(failure.ID) != id {
		t.Errorf("a call after the end: %v", err)
	}
	if kinds := r.kinds(id); !slices.Equal(kinds, []string{eventStarted, eventRunning, eventEnded}) {
		t.Errorf("events %v", kinds)
	}
	r.checkLists(id)
}

// checkLists looks at a program that has ended.
func (r *rig) checkLists(id string) {
	r.t.Helper()
	running, err := r.client.List(context.Background(), &controlpb.ListRequest{})
	if err != nil || len(running.GetPrograms()) != 0 {
		r.t.Errorf("running: %v, %v", running, err)
	}
	all, err := r.client.List(context.Background(), &controlpb.ListRequest{All: true})
	if err != nil || len(all.GetPrograms()) != 1 || all.GetPrograms()[0].GetExit() == nil {
		r.t.Errorf("all: %v, %v", all, err)
	}
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil || len(in.GetLocks()) != 0 || in.GetUsage().GetPeakBytes() != 4<<20 || in.GetProgram().GetState() != "ended" {
		r.t.Errorf("inspected after the end: %v, %v", in, err)
	}
}

func TestBadArguments(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	for _, tt := range []struct {
		name, fn, input string
		is              error
		say             string
	}{
		{"no name", "", "1", control.ErrBadRequest, "name"},
		{"long name", strings.Repeat("x", 300), "1", control.ErrBadRequest, "name"},
		{"not JSON", "f", "{a:1}", control.ErrBadRequest, "invalid character 'a'"},
		{"two values", "f", "1 2", control.ErrBadRequest, "JSON"},
		{"nested too deep", "f", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), control.ErrBadRequest, "depth"},
		{"too large", "f", `"` + strings.Repeat("x", wire.MaxInput) + `"`, mp.ErrTooLarge, "limit"},
	} {
		_, err := r.call(id, tt.fn, tt.input)
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, id := range []string{"", "nobody", "../../etc", strings.Repeat("x", 5000)} {
		if _, err := r.call(id, "f", "1"); !errors.Is(err, mp.ErrNotFound) || len(err.Error()) > 200 {
			t.Errorf("id %.20q: %v", id, err)
		}
	}
	for digest, want := range map[string]error{"": control.ErrBadRequest, "sha256:00": control.ErrBadRequest, mp.Digest{}.String(): mp.ErrNotFound} {
		if _, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: digest}); !errors.Is(err, want) {
			t.Errorf("digest %q: %v, want %v", digest, err, want)
		}
	}
	r.alive(id)
}

func TestNoInputIsNull(t *testing.T) {
	r := newRig(t)
	res, err := r.call(r.mustStart(), "echo", "")
	if err != nil || res.GetOutputJson() != "null" {
		t.Errorf("%v, %v", res, err)
	}
}

func TestLimits(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Max.Memory = 128 << 20 })
	for _, tt := range []struct {
		name string
		ask  *controlpb.Limits
		is   error
	}{
		{"nothing", nil, nil},
		{"more than the default", &controlpb.Limits{MemoryBytes: ptr(int64(100 << 20))}, nil},
		{"more than the host gives", &controlpb.Limits{MemoryBytes: ptr(int64(200 << 20))}, control.ErrBadRequest},
		{"less than a worker needs", &controlpb.Limits{MemoryBytes: ptr(int64(1 << 20))}, control.ErrBadRequest},
		{"negative", &controlpb.Limits{Pids: ptr(int64(-1))}, control.ErrBadRequest},
		{"endless", &controlpb.Limits{CallTimeout: durationpb.New(1 << 62)}, control.ErrBadRequest},
		{"no lines", &controlpb.Limits{LogRate: ptr(int32(0))}, nil},
	} {
		_, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Limits: tt.ask})
		if !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.is)
		}
	}
	res, err := r.client.PutPackage(context.Background(), packed(t, "greedy", `,"mpsupervisor":{"limits":{"memory":"512M"}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.client.Start(context.Background(), &controlpb.StartRequest{Digest: res.GetDigest()})
	if !errors.Is(err, mp.ErrBadPackage) || !strings.Contains(err.Error(), "memory") {
		t.Errorf("a manifest that asks for too much: %v", err)
	}
	if heapOf(64<<20) != 54<<20 || heapOf(mp.MinMemory) != 6<<20 || heapOf(1) != minHeap {
		t.Error("the heap's share is wrong")
	}
}

func ptr[T any](v T) *T { return &v }

func TestTooManyPrograms(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxPrograms = 2 })
	first := r.mustStart()
	r.mustStart()
	if _, err := r.start(); !errors.Is(err, control.ErrBusy) {
		t.Errorf("a third: %v", err)
	}
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: first}); err != nil {
		t.Fatal(err)
	}
	r.mustStart()
}

func TestTooManyCalls(t *testing.T) {
	r := newRig(t)
	hold := make(chan struct{})
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) {
		<-hold
		return encoded(&wire.Reply{Output: []byte("1")})
	}))
	id := r.mustStart()
	var wg sync.WaitGroup
	for range maxCalls {
		wg.Go(func() {
			if _, err := r.call(id, "f", ""); err != nil {
				t.Error(err)
			}
		})
	}
	i, err := r.find(id)
	if err != nil {
		t.Fatal(err)
	}
	for len(i.slots) < maxCalls {
		time.Sleep(time.Millisecond)
	}
	if _, err := r.call(id, "f", ""); !errors.Is(err, control.ErrBusy) {
		t.Errorf("one more: %v", err)
	}
	close(hold)
	wg.Wait()
	if _, err := r.call(id, "f", ""); err != nil {
		t.Errorf("after the others: %v", err)
	}
}

// A caller that gives a call up does not end the program.
func TestCallerGivesUp(t *testing.T) {
	r := newRig(t)
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) { select {} }))
	id := r.mustStart()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := r.client.Call(ctx, &controlpb.CallRequest{Id: id, Name: "f"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	time.Sleep(2 * quick.grace)
	list, err := r.client.List(context.Background(), &controlpb.ListRequest{})
	if err != nil || len(list.GetPrograms()) != 1 || list.GetPrograms()[0].GetState() != "running" {
		t.Errorf("%v, %v", list, err)
	}
}

func TestStarterGoesAway(t *testing.T) {
	r := newRig(t)
	r.launcher.next(onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { select {} }))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.client.Start(ctx, &controlpb.StartRequest{Digest: r.digest}); err == nil {
		t.Fatal("it started")
	}
	r.waitEnded(1)
	if all := r.list(true); len(all) != 1 {
		t.Errorf("%d programs", len(all))
	} else if e, _ := all[0].result(); e.Cause != mp.CauseKilled {
		t.Errorf("ended: %v", e)
	}
}

// waitEnded waits until n programs have ended and none runs.
func (r *rig) waitEnded(n int) {
	for range 5000 {
		if len(r.list(false)) == 0 && len(r.list(true)) == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	r.t.Errorf("%d programs run", len(r.list(false)))
}

func TestAttached(t *testing.T) {
	r := newRig(t)
	start := func() string {
		res, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Attached: true})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetId()
	}
	t.Run("never comes back", func(t *testing.T) {
		if e := r.exit(start()); e.Cause != mp.CauseKilled || !strings.Contains(e.Detail, "come back") {
			t.Errorf("ended: %v", e)
		}
	})
	t.Run("goes away", func(t *testing.T) {
		id := start()
		ctx, cancel := context.WithTimeout(context.Background(), 3*quick.lease)
		defer cancel()
		_, err := r.client.Wait(ctx, &controlpb.WaitRequest{Id: id, Attached: true})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the program did not outlive its lease: %v", err)
		}
		if e := r.exit(id); e.Cause != mp.CauseKilled || !strings.Contains(e.Detail, "went away") {
			t.Errorf("ended: %v", e)
		}
	})
	t.Run("a watcher goes away", func(t *testing.T) {
		id := r.mustStart()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		r.client.Wait(ctx, &controlpb.WaitRequest{Id: id})
		r.alive(id)
	})
}

// Many callers share a daemon; nothing is mixed up.
func TestConcurrent(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			res, err := r.start()
			if err != nil {
				t.Error(err)
				return
			}
			for k := range 20 {
				want := fmt.Sprintf("[%d,%d]", n, k)
				got, err := r.call(res.GetId(), "echo", want)
				if err != nil || got.GetOutputJson() != want {
					t.Errorf("%v, %v", got, err)
				}
			}
			if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: res.GetId()}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(r.list(true)); n != 8 {
		t.Errorf("%d programs are remembered", n)
	}
}

func TestPast(t *testing.T) {
	r := newRig(t)
	r.launcher.next(onBoot(func(*fakeWorker, *ipc.Conn) ([]byte, error) { return nil, &exitNow{Code: 1} }))
	for range maxPast + 5 {
		if _, err := r.start(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.list(true)); n != maxPast {
		t.Errorf("%d programs are remembered", n)
	}
}

func TestRefused(t *testing.T) {
	r := newRig(t)
	for range 1000 {
		r.refused(control.Peer{UID: 1234, PID: 5}, "/Start", control.ErrDenied)
	}
	n := 0
	r.events.each(context.Background(), false, func(e event, _ uint64) error {
		if e.Type == eventRefused {
			n++
			if e.Fields["uid"] != "1234" || e.Fields["call"] != "/Start" {
				t.Errorf("event %+v", e)
			}
		}
		return nil
	})
	if n == 0 || n > 100 {
		t.Errorf("%d events of 1000 refusals", n)
	}
}
