package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// A hibernated program has no worker, and its heap is there again in another
// supervisor that was given nothing but the directory.
func TestHibernateAndResume(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "warm", saved: `{"a":1}`}
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	limits, err := r.update(id, &controlpb.Limits{Pids: ptr(int64(40))})
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.hibernate(id)
	if err != nil || res.GetImageBytes() != 4 || res.GetStateBytes() != 7 {
		t.Fatalf("%v, %v", res, err)
	}
	if r.told(id) != stateHibernated || r.workers() != 0 {
		t.Errorf("state %q, %d workers", r.told(id), r.workers())
	}
	r.halt()

	r = keeperRig(t, dir, m)
	in, err := r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil || in.GetProgram().GetState() != stateHibernated || in.GetLimits().GetPids() != limits.GetPids() || in.GetEntry() != "app.js" {
		t.Errorf("inspect: %v, %v", in, err)
	}
	m.heap = "cold"
	if res := r.mustResume(id); res.GetImage() != "instance" || res.GetReason() != "" || len(res.GetExports()) != 1 {
		t.Errorf("resumed: %v", res)
	}
	if out, err := r.call(id, "heap", ""); err != nil || out.GetOutputJson() != `"warm"` {
		t.Errorf("after it: %v, %v", out, err)
	}
	in, err = r.client.Inspect(context.Background(), &controlpb.InspectRequest{Id: id})
	if err != nil || in.GetStartImage() != "instance" || in.GetLimits().GetPids() != 40 {
		t.Errorf("inspect: %v, %v", in, err)
	}
	if got, want := r.kinds(id), []string{eventStarted, eventRunning, eventResumed}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if got := m.list(&m.states); !slices.Equal(got, []string{`{"restored":false}`, `{"restored":true}`}) {
		t.Errorf("launched with %v", got)
	}
}

// Whatever a hibernated program is asked for, it says what to do.
func TestHibernatedSaysSo(t *testing.T) {
	r := keeperRig(t, privateDir(t), &mock{build: "b", heap: "x"})
	id := r.mustStart()
	waited := make(chan error, 1)
	go func() {
		_, err := r.client.Wait(context.Background(), &controlpb.WaitRequest{Id: id})
		waited <- err
	}()
	r.mustHibernate(id)
	ctx := context.Background()
	for name, ask := range map[string]func() error{
		"call":      func() error { _, err := r.call(id, "f", ""); return err },
		"wait":      func() error { _, err := r.client.Wait(ctx, &controlpb.WaitRequest{Id: id}); return err },
		"update":    func() error { _, err := r.update(id, &controlpb.Limits{Pids: ptr(int64(40))}); return err },
		"freeze":    func() error { _, err := r.client.Freeze(ctx, &controlpb.FreezeRequest{Id: id}); return err },
		"show":      func() error { _, err := r.client.Show(ctx, &controlpb.ShowRequest{Id: id}); return err },
		"hibernate": func() error { _, err := r.hibernate(id); return err },
	} {
		if err := ask(); !errors.Is(err, mp.ErrHibernated) || !strings.Contains(err.Error(), "resume "+id) {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case err := <-waited:
		// One that came late was told that it hibernates already.
		if !errors.Is(err, mp.ErrHibernated) {
			t.Errorf("who waited for the end: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("who waited for the end waits still")
	}
	r.mustResume(id)
	if _, err := r.client.Resume(ctx, &controlpb.ResumeRequest{Id: id}); err == nil || !strings.Contains(err.Error(), "not hibernated") {
		t.Errorf("resumed twice: %v", err)
	}
}

// Console lines are those of the program, and not of its worker.
func TestLinesOverHibernation(t *testing.T) {
	r := keeperRig(t, privateDir(t), &mock{build: "b", heap: "x"})
	id := r.mustStart()
	i, err := r.find(id)
	if err != nil {
		t.Fatal(err)
	}
	i.console.add(wire.Log{Lines: []wire.LogLine{{Level: "info", Text: "before"}}}, time.Now())
	lines := func() string {
		stream, err := r.client.Logs(context.Background(), &controlpb.LogsRequest{Id: id})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		var all []string
		for stream.Receive() {
			if text := stream.Msg().GetText(); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, " ")
	}
	r.mustHibernate(id)
	if got := lines(); got != "before" {
		t.Errorf("hibernated: %q", got)
	}
	r.mustResume(id)
	if i, err = r.find(id); err != nil {
		t.Fatal(err)
	}
	i.console.add(wire.Log{Lines: []wire.LogLine{{Level: "info", Text: "after"}}}, time.Now())
	if got := lines(); got != "before after" {
		t.Errorf("resumed: %q", got)
	}
}
