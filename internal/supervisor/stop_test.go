package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

func TestLauncherGone(t *testing.T) {
	r := newRig(t)
	id := r.mustStart()
	i, err := r.find(id)
	if err != nil {
		t.Fatal(err)
	}
	close(r.launcher.done)
	if err := <-r.ran; err == nil || !strings.Contains(err.Error(), "launcher is gone") {
		t.Errorf("Run: %v", err)
	}
	r.ran <- nil
	<-i.done
	if e, _ := i.result(); e.Cause != mp.CauseSupervisorGone || !strings.Contains(e.Detail, "launcher") {
		t.Errorf("ended: %v", e)
	}
}

func TestLauncherRefuses(t *testing.T) {
	r := newRig(t)
	r.launcher.set(errors.New("no slot is free"), nil)
	r.start() // opens the client's connection
	before := openFDs(t)
	for range 10 {
		if _, err := r.start(); err == nil || !strings.Contains(err.Error(), "no slot is free") {
			t.Fatalf("error %v", err)
		}
	}
	settleFDs(t, before)
	if n := len(r.list(true)); n != 0 {
		t.Errorf("%d programs are remembered", n)
	}
	r.launcher.next(honest)
	r.mustStart()
}

// A stopping supervisor lets calls finish, and begins nothing.
func TestDrain(t *testing.T) {
	r := newRig(t)
	called, hold := make(chan struct{}), make(chan struct{})
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) {
		close(called)
		<-hold
		return encoded(&wire.Reply{Output: []byte("42")})
	}))
	id := r.mustStart()
	answer := make(chan error, 1)
	go func() {
		res, err := r.call(id, "f", "")
		if err == nil && res.GetOutputJson() != "42" {
			err = fmt.Errorf("answer %v", res)
		}
		answer <- err
	}()
	<-called
	r.stop()
	for {
		_, err := r.start()
		if errors.Is(err, control.ErrStopping) {
			break
		}
		if err != nil {
			t.Fatalf("a start while stopping: %v", err)
		}
	}
	if _, err := r.call(id, "f", ""); !errors.Is(err, control.ErrStopping) {
		t.Errorf("a call while stopping: %v", err)
	}
	close(hold)
	if err := <-answer; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-r.ran; err != nil {
		t.Error(err)
	}
	r.ran <- nil
	if n := len(r.list(false)); n != 0 {
		t.Errorf("%d programs run", n)
	}
}

func TestDrainGrace(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Grace = 50 * time.Millisecond })
	called := make(chan struct{})
	r.launcher.next(onCall(func(*fakeWorker, *ipc.Conn) ([]byte, error) { close(called); select {} }))
	id := r.mustStart()
	answer := make(chan error, 1)
	go func() {
		_, err := r.call(id, "f", "")
		answer <- err
	}()
	<-called
	r.stop()
	if err := <-answer; !errors.Is(err, mp.ErrEnded) {
		t.Errorf("the call under way: %v", err)
	}
}

func TestReload(t *testing.T) {
	r := newRig(t)
	next := DefaultSettings()
	next.MaxPrograms = 1
	next.Default.CallTimeout = 3 * time.Second
	restart, err := r.Reload(next)
	if err != nil || len(restart) != 0 {
		t.Fatalf("%v, %v", restart, err)
	}
	id := r.mustStart()
	if _, err := r.start(); !errors.Is(err, control.ErrBusy) {
		t.Errorf("above the new bound: %v", err)
	}
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil || in.GetLimits().GetCallTimeout().AsDuration() != 3*time.Second {
		t.Errorf("limits %v, %v", in.GetLimits(), err)
	}
	next.MaxPrograms = 100000
	if restart, err := r.Reload(next); err != nil || !slices.Equal(restart, []string{"max_workers"}) {
		t.Errorf("more workers than the launcher has places for: %v, %v", restart, err)
	}
	next.Default.Memory = 1
	if _, err := r.Reload(next); err == nil {
		t.Error("wrong settings were taken")
	}
}
