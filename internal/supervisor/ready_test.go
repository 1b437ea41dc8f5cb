package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// withReady allows so many ready images.
func withReady(n int) func(*Config) {
	return func(c *Config) { c.ReadyImages = n }
}

// made waits until the makers have nothing to do.
func (r *rig) made() {
	r.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r.makers.mu.Lock()
		busy := r.makers.busy
		r.makers.mu.Unlock()
		if !busy {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the makers do not end")
		}
	}
}

// began tells what a program began with, and why.
func (r *rig) began(id string) (what, why string) {
	r.t.Helper()
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		r.t.Fatal(err)
	}
	return in.GetStartImage(), in.GetStartReason()
}

// The first start of a package has an image made by a worker that nobody sees,
// beside the most that may run; the next ones begin with it, restarts or not.
func TestReadyImage(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "evaluated"}
	r := keeperRig(t, dir, m, withReady(4), func(c *Config) { c.MaxPrograms = 1 })
	first := r.mustStart()
	r.made()
	if what, why := r.began(first); what != beganPrelude || why != "" {
		t.Errorf("the first began with %q, %q", what, why)
	}
	list, err := r.client.List(context.Background(), &controlpb.ListRequest{All: true})
	if err != nil || len(list.GetPrograms()) != 1 || r.workers() != 1 {
		t.Errorf("programs %v, %v, %d workers", list, err, r.workers())
	}
	r.launcher.mu.Lock()
	if starts := r.launcher.starts; len(starts) != 2 || starts[1].Limits.CPUWeight != makerWeight {
		t.Errorf("started %+v", starts)
	}
	r.launcher.mu.Unlock()
	r.client.Kill(context.Background(), &controlpb.KillRequest{Id: first})
	for n := range 2 {
		id := r.mustStart()
		if what, why := r.began(id); what != "ready" || why != "" {
			t.Errorf("start %d began with %q, %q", n, what, why)
		}
		if out, err := r.call(id, "heap", ""); err != nil || out.GetOutputJson() != `"evaluated"` {
			t.Errorf("start %d: %v, %v", n, out, err)
		}
		r.halt()
		r = keeperRig(t, dir, m, withReady(4))
	}
	if got := m.list(&m.boots); !slices.Equal(got, []string{"", "", "evaluated", "evaluated"}) {
		t.Errorf("booted with %q", got)
	}
}

// A package of which there can be none is not tried again, and says why.
func TestReadyRefused(t *testing.T) {
	m := &mock{build: "b", suspend: func(*os.File) (wire.Suspended, error) {
		return wire.Suspended{Refused: "it read the clock"}, nil
	}}
	r := keeperRig(t, privateDir(t), m, withReady(4))
	for n := range 3 {
		id := r.mustStart()
		r.made()
		what, why := r.began(id)
		if what != beganPrelude || n > 0 && why != "there is no ready image: it read the clock" {
			t.Errorf("start %d began with %q, %q", n, what, why)
		}
	}
	if got := m.list(&m.boots); len(got) != 4 {
		t.Errorf("%d boots of three programs and one maker", len(got))
	}
	var told []string
	r.events.each(context.Background(), false, func(e event, _ uint64) error {
		if e.Type == eventImageRefused {
			told = append(told, e.Fields["reason"])
		}
		return nil
	})
	if !slices.Equal(told, []string{"it read the clock"}) {
		t.Errorf("told %q", told)
	}
}

// What a maker learns from its host is the maker's, and not the next program's.
func TestReadyThatAsked(t *testing.T) {
	r := keeperRig(t, privateDir(t), &mock{build: "b", heap: "x", asks: true}, withReady(4))
	r.mustStart()
	r.made()
	if what, why := r.began(r.mustStart()); what != beganPrelude || !strings.Contains(why, "asked its host") {
		t.Errorf("began with %q, %q", what, why)
	}
}

// An image with which a worker cannot begin is made anew.
func TestReadyDeclined(t *testing.T) {
	m := &mock{build: "b", heap: "x"}
	r := keeperRig(t, privateDir(t), m, withReady(4))
	r.mustStart()
	r.made()
	m.set(func() { m.decline = "it contradicts itself" })
	if what, why := r.began(r.mustStart()); what != beganPrelude || why != "it contradicts itself" {
		t.Errorf("began with %q, %q", what, why)
	}
	m.set(func() { m.decline = "" })
	r.made()
	if what, why := r.began(r.mustStart()); what != "ready" || why != "" {
		t.Errorf("began with %q, %q", what, why)
	}
}

// A worker of another build has no use for the image.
func TestReadyOfAnotherBuild(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "old"}
	r := keeperRig(t, dir, m, withReady(4))
	r.mustStart()
	r.made()
	r.halt()
	m.set(func() { m.build, m.heap = "c", "new" })
	r = keeperRig(t, dir, m, withReady(4))
	if what, _ := r.began(r.mustStart()); what != beganPrelude {
		t.Errorf("began with %q", what)
	}
	r.made()
	out, err := r.call(r.mustStart(), "heap", "")
	if err != nil || out.GetOutputJson() != `"new"` {
		t.Errorf("%v, %v", out, err)
	}
}

// A maker that ends, and a supervisor that stops meanwhile, harm nobody.
func TestReadyMakerEnds(t *testing.T) {
	m := &mock{build: "b"}
	m.suspend = func(*os.File) (wire.Suspended, error) { return wire.Suspended{}, errors.New("no memory") }
	r := keeperRig(t, privateDir(t), m, withReady(4))
	id := r.mustStart()
	r.made()
	if _, err := r.call(id, "f", ""); err != nil {
		t.Error(err)
	}
	began := make(chan struct{}, 1)
	m.set(func() {
		m.suspend = func(pipe *os.File) (wire.Suspended, error) {
			began <- struct{}{}
			io.Copy(io.Discard, pipe) // nobody writes to it: this fails at once
			time.Sleep(20 * time.Millisecond)
			io.WriteString(pipe, "x")
			return wire.Suspended{}, nil
		}
	})
	if _, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.put("other")}); err != nil {
		t.Fatal(err)
	}
	<-began
	r.halt()
}

// set changes what workers do from now on.
func (m *mock) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}
