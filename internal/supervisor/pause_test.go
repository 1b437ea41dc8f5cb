package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

func (r *rig) freeze(id string) error {
	_, err := r.client.Freeze(context.Background(), &controlpb.FreezeRequest{Id: id})
	return err
}

func (r *rig) thaw(id string) error {
	_, err := r.client.Thaw(context.Background(), &controlpb.ThawRequest{Id: id})
	return err
}

// state is a program's as it is listed.
func (r *rig) state(id string) string {
	r.t.Helper()
	list, err := r.client.List(context.Background(), &controlpb.ListRequest{All: true})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range list.GetPrograms() {
		if p.GetId() == id {
			return p.GetState()
		}
	}
	return ""
}

func TestFreeze(t *testing.T) {
	r := newRig(t)
	id, neighbour := r.mustStart(), r.mustStart()
	for range 2 { // the second time it is frozen already
		if err := r.freeze(id); err != nil || r.state(id) != "frozen" {
			t.Fatalf("frozen: %v, state %q", err, r.state(id))
		}
	}
	if !r.launcher.frozen[mp.InstanceID(id)] {
		t.Error("the launcher did not freeze it")
	}
	if _, err := r.call(id, "echo", "1"); !errors.Is(err, mp.ErrFrozen) {
		t.Errorf("a call: %v", err)
	}
	r.alive(neighbour)
	for range 2 {
		if err := r.thaw(id); err != nil || r.state(id) != "running" {
			t.Fatalf("thawed: %v, state %q", err, r.state(id))
		}
	}
	r.alive(id)
	want := []string{eventStarted, eventRunning, eventFrozen, eventThawed}
	if kinds := r.kinds(id); !slices.Equal(kinds, want) {
		t.Errorf("events %v", kinds)
	}
	if err := r.freeze(id); err != nil {
		t.Fatal(err)
	}
	r.kill(id)
	if e := r.exit(id); e.Cause != mp.CauseKilled {
		t.Errorf("killed while frozen: %v", e)
	}
	for name, err := range map[string]error{"freeze": r.freeze(id), "thaw": r.thaw(id)} {
		if !errors.Is(err, mp.ErrEnded) {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
	if err := r.freeze("nobody"); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// A launcher that cannot freeze leaves the program as it was.
func TestFreezeFails(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	r.launcher.mu.Lock()
	r.launcher.refuse = errors.New("no freezer")
	r.launcher.mu.Unlock()
	if err := r.freeze(id); err == nil || !strings.Contains(err.Error(), "no freezer") {
		t.Errorf("error %v", err)
	}
	r.alive(id)
}

// A call that is under way when its program is frozen has its time afterwards,
// and no deadline passes meanwhile.
func TestFrozenTimeDoesNotCount(t *testing.T) {
	r := newRig(t)
	called, hold := make(chan struct{}), make(chan struct{})
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) {
		close(called)
		<-hold
		return encoded(&wire.Reply{Output: []byte("42")})
	}))
	const limit = 300 * time.Millisecond
	res, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Limits: &controlpb.Limits{CallTimeout: durationpb.New(limit)}})
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	answer := make(chan error, 1)
	go func() {
		_, err := r.call(id, "f", "")
		answer <- err
	}()
	<-called
	if err := r.freeze(id); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2*limit + 2*quick.grace)
	if state := r.state(id); state != "frozen" {
		t.Errorf("after the call's time it is %s", state)
	}
	if err := r.thaw(id); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if err := <-answer; err != nil {
		t.Errorf("the call: %v", err)
	}
}

// Once it is awake again, its time runs on.
func TestThawedTimeCounts(t *testing.T) {
	r := newRig(t)
	called := make(chan struct{})
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) { close(called); select {} }))
	res, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest, Limits: &controlpb.Limits{CallTimeout: durationpb.New(100 * time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	answer := make(chan error, 1)
	go func() {
		_, err := r.call(id, "f", "")
		answer <- err
	}()
	<-called
	if err := errors.Join(r.freeze(id), r.thaw(id)); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; !errors.Is(err, mp.ErrEnded) {
		t.Errorf("the call: %v", err)
	}
	if e := r.exit(id); e.Cause != mp.CauseCallLimit {
		t.Errorf("ended: %v", e)
	}
}

func TestPauseAccount(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var p pause
	if p.total(at(5)) != 0 {
		t.Error("never frozen, but")
	}
	p.begin(at(10))
	if got := p.total(at(15)); got != 5*time.Second {
		t.Errorf("frozen for 5 s: %v", got)
	}
	p.end(at(20))
	p.begin(at(30))
	p.end(at(31))
	if got := p.total(at(50)); got != 11*time.Second {
		t.Errorf("frozen for 11 s: %v", got)
	}
}
