package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// diary is what workers were told of, and called.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) add(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, s)
}

// take returns what was added since it was last called.
func (d *diary) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := strings.Join(d.entries, ", ")
	d.entries = nil
	return s
}

// listening is a worker that notes what it is told, and answers by done.
func (d *diary) listening(done func(wire.Event) ([]byte, error)) func(*fakeWorker) launch.Exited {
	play := scripted(func(_ *fakeWorker, _ *ipc.Conn, m wire.Method, body []byte) ([]byte, error) {
		switch m {
		case wire.MethodBoot:
			return encoded(&wire.Booted{Exports: []string{"f"}})
		case wire.MethodCall:
			d.add("called")
			return encoded(&wire.Reply{Output: []byte("1")})
		}
		var e wire.Event
		if err := wire.Unmarshal(body, &e); err != nil {
			return nil, err
		}
		d.add(strings.TrimSpace(string(e.Type) + " " + e.Page + string(e.Detail)))
		return done(e)
	})
	return func(w *fakeWorker) launch.Exited {
		w.hears = true
		return play(w)
	}
}

func heard(wire.Event) ([]byte, error) { return encoded(&wire.EventDone{}) }

func (r *rig) program(id string) *controlpb.Program {
	r.t.Helper()
	res, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		r.t.Fatal(err)
	}
	return res.GetProgram()
}

func TestShowAndHide(t *testing.T) {
	r, d := newRig(t), &diary{}
	r.launcher.next(d.listening(heard))
	id := r.mustStart()
	if got := d.take(); got != `launched {"restored":false}` {
		t.Errorf("at the start it heard %s", got)
	}
	show := func(page string) error {
		_, err := r.client.Show(context.Background(), &controlpb.ShowRequest{Id: id, Page: page})
		return err
	}
	hide := func(page string) error {
		_, err := r.client.Hide(context.Background(), &controlpb.HideRequest{Id: id, Page: page})
		return err
	}
	for n, step := range []struct {
		do      func(string) error
		page    string
		want    string
		visible bool
		now     string
	}{
		{hide, "", "", false, ""},
		{show, "", "shown", true, ""},
		{show, "", "", true, ""},
		{show, "pages/index", "shown pages/index", true, "pages/index"},
		{show, "pages/index", "", true, "pages/index"},
		{show, "", "", true, "pages/index"},
		{hide, "", "hidden", false, "pages/index"},
		{hide, "pages/index", "", false, "pages/index"},
		{show, "", "shown", true, "pages/index"},
		{hide, "pages/index", "hidden pages/index", true, ""},
		{hide, "", "hidden", false, ""},
	} {
		if err := step.do(step.page); err != nil {
			t.Fatal(err)
		}
		p := r.program(id)
		if got := d.take(); got != step.want || p.GetVisible() != step.visible || p.GetPage() != step.now {
			t.Errorf("step %d: heard %q, visible %v, page %q; want %+v", n, got, p.GetVisible(), p.GetPage(), step)
		}
	}
	if err := show("pages/other"); !errors.Is(err, mp.ErrNotFound) || !strings.Contains(err.Error(), "pages/other") {
		t.Errorf("a page that it does not have: %v", err)
	}
	kinds := slices.DeleteFunc(r.kinds(id), func(k string) bool { return k != eventShown && k != eventHidden })
	if len(kinds) != 6 {
		t.Errorf("events %v", kinds)
	}
}

// A program hears that it is about to be ended, unless that is to be at once.
func TestUnloaded(t *testing.T) {
	r, d := newRig(t), &diary{}
	r.launcher.next(d.listening(heard))
	for now, want := range map[bool]string{false: "unloaded", true: ""} {
		id := r.mustStart()
		d.take()
		if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id, Now: now}); err != nil {
			t.Fatal(err)
		}
		if got := d.take(); got != want {
			t.Errorf("now %v: heard %q", now, got)
		}
		if e := r.exit(id); e.Cause != mp.CauseKilled {
			t.Errorf("ended: %v", e)
		}
	}
	r.mustStart()
	d.take()
	r.stop()
	if err := <-r.ran; err != nil {
		t.Error(err)
	}
	r.ran <- nil
	if got := d.take(); got != "unloaded" {
		t.Errorf("when the supervisor stops it hears %q", got)
	}
}

// One that does not answer is ended all the same.
func TestUnloadedDeaf(t *testing.T) {
	r, d := newRig(t), &diary{}
	r.launcher.next(d.listening(func(e wire.Event) ([]byte, error) {
		if e.Type == mp.EventUnloaded {
			select {}
		}
		return heard(e)
	}))
	id := r.mustStart()
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if e := r.exit(id); e.Cause != mp.CauseKilled {
		t.Errorf("ended: %v", e)
	}
}

// What a worker may do with an event, and what comes of it.
func TestHostileEvents(t *testing.T) {
	r := newRig(t)
	neighbour := r.mustStart()
	for _, tt := range []struct {
		name  string
		done  func(wire.Event) ([]byte, error)
		cause mp.Cause // "" if the program lives on
	}{
		{"saves", func(wire.Event) ([]byte, error) { return encoded(&wire.EventDone{Result: []byte(`{"a":1}`)}) }, ""},
		{"cannot tell", func(wire.Event) ([]byte, error) { return nil, errors.New("no") }, ""},
		{"not CBOR", func(wire.Event) ([]byte, error) { return []byte{0xff}, nil }, mp.CauseProtocol},
		{"saves what is not JSON", func(wire.Event) ([]byte, error) { return encoded(&wire.EventDone{Result: []byte("{")}) }, mp.CauseProtocol},
		{"saves too much", func(wire.Event) ([]byte, error) {
			return append([]byte{0xa1, 0x01, 0x5a, 0, 4, 0, 1}, make([]byte, wire.MaxState+1)...), nil
		}, mp.CauseProtocol},
		{"never", func(wire.Event) ([]byte, error) { select {} }, mp.CauseCallLimit},
		{"exits", func(wire.Event) ([]byte, error) { return nil, &exitNow{Code: 5} }, mp.CauseExited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer r.lend(t)()
			d := &diary{}
			r.launcher.next(d.listening(func(e wire.Event) ([]byte, error) {
				if e.Type == mp.EventLaunched {
					return heard(e)
				}
				return tt.done(e)
			}))
			res, err := r.client.Start(context.Background(), &controlpb.StartRequest{
				Digest: r.digest, Limits: &controlpb.Limits{CallTimeout: durationpb.New(50 * time.Millisecond)},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.client.Show(context.Background(), &controlpb.ShowRequest{Id: res.GetId()})
			if tt.cause == "" {
				if _, err := r.call(res.GetId(), "f", ""); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			} else if e := r.exit(res.GetId()); e.Cause != tt.cause || !errors.Is(err, mp.ErrEnded) {
				t.Errorf("error %v; ended: %v", err, e)
			}
			r.alive(neighbour)
		})
	}
}

// A program may end when it hears that it has been loaded.
func TestEndsWhenLaunched(t *testing.T) {
	r, d := newRig(t), &diary{}
	r.launcher.next(d.listening(func(wire.Event) ([]byte, error) { return nil, &exitNow{Code: 7} }))
	res, err := r.start()
	if err != nil {
		t.Fatal(err)
	}
	if e := r.exit(res.GetId()); e.Cause != mp.CauseExited || e.Code != 7 {
		t.Errorf("ended: %v", e)
	}
}
