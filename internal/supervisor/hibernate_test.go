package supervisor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// mock is a worker whose heap is one text. It says what it was booted with, and
// answers calls with its heap.
type mock struct {
	mu      sync.Mutex
	build   string
	heap    string
	saved   string
	suspend func(pipe *os.File) (wire.Suspended, error) // instead of writing the heap
	decline string                                      // why it does not begin with an image
	asks    bool                                        // its host for something, when it has booted

	boots  []string // the image of each, "" for none
	states []string // the detail of each launched
}

func (m *mock) note(list *[]string, s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*list = append(*list, s)
}

func (m *mock) list(list *[]string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(*list)
}

// withFiles is a handler that is given the descriptors.
type withFiles func(m wire.Method, body []byte, files []*os.File) ([]byte, error)

func (h withFiles) HandleCall(_ context.Context, body []byte, files []*os.File) ([]byte, error) {
	defer closeAll(files...)
	m, rest, err := wire.Split(body)
	if err != nil {
		return nil, err
	}
	return h(m, rest, files)
}

func (withFiles) HandleNotify([]byte) {}

func (m *mock) play(w *fakeWorker) launch.Exited {
	m.mu.Lock()
	one := mock{build: m.build, heap: m.heap, saved: m.saved, suspend: m.suspend, decline: m.decline, asks: m.asks}
	m.mu.Unlock()
	ready := make(chan *ipc.Conn, 1)
	conn := w.open(withFiles(func(method wire.Method, body []byte, files []*os.File) ([]byte, error) {
		out, err := one.answer(w.t, m, method, body, files)
		if method == wire.MethodBoot && one.asks {
			conn := <-ready
			ready <- conn
			ask, _ := wire.Marshal(wire.MethodAsk, &wire.Ask{Method: "app"})
			conn.Call(context.Background(), ask)
		}
		return out, err
	}))
	if conn == nil {
		return launch.Exited{Code: codeChannelGone}
	}
	ready <- conn
	s := *sealed
	s.Build = one.build
	say(conn, wire.MethodSealed, &s)
	<-conn.Done()
	return launch.Exited{Code: codeChannelGone}
}

// answer is one worker's; diary keeps what is noted of all.
func (m *mock) answer(t *testing.T, diary *mock, method wire.Method, body []byte, files []*os.File) ([]byte, error) {
	switch method {
	case wire.MethodBoot:
		var b wire.Boot
		if err := wire.Unmarshal(body, &b); err != nil {
			return nil, err
		}
		return encoded(m.boot(t, diary, &b, files))
	case wire.MethodEvent:
		var e wire.Event
		if err := wire.Unmarshal(body, &e); err != nil {
			return nil, err
		}
		if e.Type == mp.EventLaunched {
			diary.note(&diary.states, string(e.Detail))
		}
		if e.Type == mp.EventHibernate {
			return encoded(&wire.EventDone{Result: []byte(m.saved)})
		}
		return encoded(&wire.EventDone{})
	case wire.MethodSuspend:
		if m.suspend != nil {
			s, err := m.suspend(files[0])
			if err != nil {
				return nil, err
			}
			return encoded(&s)
		}
		io.WriteString(files[0], m.heap)
		return encoded(&wire.Suspended{})
	}
	return encoded(&wire.Reply{Output: []byte(`"` + m.heap[:min(len(m.heap), 100)] + `"`)})
}

// boot takes the heap out of the image that came.
func (m *mock) boot(t *testing.T, diary *mock, b *wire.Boot, files []*os.File) *wire.Booted {
	booted := &wire.Booted{Exports: []string{"heap"}}
	if !b.Image {
		diary.note(&diary.boots, "")
		return booted
	}
	seals, err := unix.FcntlInt(files[1].Fd(), unix.F_GET_SEALS, 0)
	if flags, _ := unix.FcntlInt(files[1].Fd(), unix.F_GETFL, 0); err != nil || seals&0xf != 0xf || flags&unix.O_ACCMODE != unix.O_RDONLY {
		t.Errorf("an image with seals %#x, %v, and flags %#x", seals, err, flags)
	}
	text, err := io.ReadAll(io.NewSectionReader(files[1], 0, 1<<20))
	if err != nil {
		t.Error(err)
	}
	diary.note(&diary.boots, string(text))
	if booted.Image = m.decline; m.decline == "" {
		booted.Image, m.heap = wire.Restored, string(text)
	}
	return booted
}

// keeperRig is a rig that keeps images in a directory.
func keeperRig(t *testing.T, dir string, m *mock, change ...func(*Config)) *rig {
	t.Helper()
	none := func(c *Config) { c.ReadyImages = 0 }
	open := func(c *Config) {
		store, lost, err := image.Open(dir, c.readyOptions())
		if err != nil || lost != nil {
			t.Fatal(err, lost)
		}
		c.Images = store
	}
	r := newRig(t, slices.Concat([]func(*Config){none}, change, []func(*Config){open})...)
	r.launcher.next(m.play)
	return r
}

func privateDir(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// halt ends a rig as a restart of the daemon would.
func (r *rig) halt() {
	r.t.Helper()
	r.stop()
	<-r.ran
	r.ran <- nil // for the cleanup
}

func (r *rig) hibernate(id string) (*controlpb.HibernateResponse, error) {
	return r.client.Hibernate(context.Background(), &controlpb.HibernateRequest{Id: id})
}

func (r *rig) mustHibernate(id string) {
	r.t.Helper()
	if _, err := r.hibernate(id); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) mustResume(id string) *controlpb.ResumeResponse {
	r.t.Helper()
	res, err := r.client.Resume(context.Background(), &controlpb.ResumeRequest{Id: id})
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

// told is what ps tells of a program, "" if nothing.
func (r *rig) told(id string) string {
	r.t.Helper()
	list, err := r.client.List(context.Background(), &controlpb.ListRequest{})
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

func (r *rig) workers() int {
	r.launcher.mu.Lock()
	defer r.launcher.mu.Unlock()
	return len(r.launcher.workers)
}

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

// What does not fit any more is no error: the program begins anew, with what it
// saved, and the reason is told.
func TestResumeFromSource(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(dir, id string, m *mock)
		reason string
	}{
		"another build":        {func(_, _ string, m *mock) { m.build = "c" }, "another build"},
		"a build without name": {func(_, _ string, m *mock) { m.build = "" }, "another build"},
		"the worker declines":  {func(_, _ string, m *mock) { m.decline = "the prelude's image differs" }, "the prelude's image differs"},
		"no file":              {func(dir, id string, _ *mock) { os.Remove(filepath.Join(dir, "instances", id+".image")) }, "no such file"},
		"cut off":              {func(dir, id string, _ *mock) { os.Truncate(filepath.Join(dir, "instances", id+".image"), 50) }, "not the one that was kept"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m := privateDir(t), &mock{build: "b", heap: "x", saved: "[7]"}
			r := keeperRig(t, dir, m)
			id := r.mustStart()
			r.mustHibernate(id)
			r.halt()
			tt.change(dir, id, m)
			r = keeperRig(t, dir, m)
			res := r.mustResume(id)
			if res.GetImage() != beganPrelude || !strings.Contains(res.GetReason(), tt.reason) {
				t.Errorf("resumed: %v", res)
			}
			if got := m.list(&m.states); got[len(got)-1] != `{"restored":false,"state":[7]}` {
				t.Errorf("launched with %v", got)
			}
			if _, err := r.call(id, "f", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// As long as no worker has had the image a resume that fails costs nothing;
// afterwards what the program saved is still there.
func TestResumeFails(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "x", saved: "[7]"}
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	r.mustHibernate(id)
	fail := func(want string) {
		t.Helper()
		_, err := r.client.Resume(context.Background(), &controlpb.ResumeRequest{Id: id})
		if err == nil || !strings.Contains(err.Error(), want) || r.told(id) != stateHibernated {
			t.Errorf("resumed with %v, state %q", err, r.told(id))
		}
	}
	r.launcher.set(errors.New("no room for a worker"), nil)
	fail("no room for a worker")
	r.launcher.next(scripted(func(_ *fakeWorker, _ *ipc.Conn, m wire.Method, _ []byte) ([]byte, error) {
		return encoded(&wire.Booted{Error: &mp.GuestError{Name: "Error", Message: "broken"}})
	}))
	fail("broken")
	r.halt()
	r = keeperRig(t, dir, m)
	if res := r.mustResume(id); res.GetImage() != beganPrelude || !strings.Contains(res.GetReason(), "used before") {
		t.Errorf("resumed: %v", res)
	}
	if got := m.list(&m.states); got[len(got)-1] != `{"restored":false,"state":[7]}` {
		t.Errorf("launched with %v", got)
	}
}

// Not every program can be hibernated, and one that refuses goes on.
func TestHibernateRefused(t *testing.T) {
	m := &mock{build: "b", heap: "x", suspend: func(*os.File) (wire.Suspended, error) { return wire.Suspended{Refused: "no time"}, nil }}
	r := keeperRig(t, privateDir(t), m)
	id := r.mustStart()
	if _, err := r.hibernate(id); err == nil || !strings.Contains(err.Error(), "no time") {
		t.Errorf("the worker refuses: %v", err)
	}
	if _, err := r.call(id, "f", ""); err != nil || r.told(id) != "running" {
		t.Errorf("afterwards: %v, %q", err, r.told(id))
	}
	ctx := context.Background()
	r.client.Freeze(ctx, &controlpb.FreezeRequest{Id: id})
	if _, err := r.hibernate(id); !errors.Is(err, mp.ErrFrozen) {
		t.Errorf("frozen: %v", err)
	}
	without := newRig(t)
	if _, err := without.hibernate(without.mustStart()); err == nil || !strings.Contains(err.Error(), "keeps no images") {
		t.Errorf("without a store: %v", err)
	}
}

// A worker that breaks a rule while it is suspended ends, and leaves nothing on
// the disk.
func TestHostileSuspend(t *testing.T) {
	var held []*os.File
	for name, suspend := range map[string]func(pipe *os.File) (wire.Suspended, error){
		"writes nothing": func(*os.File) (wire.Suspended, error) { return wire.Suspended{}, nil },
		"keeps the pipe": func(pipe *os.File) (wire.Suspended, error) {
			fd, err := unix.Dup(int(pipe.Fd()))
			held = append(held, os.NewFile(uintptr(fd), "held"))
			io.WriteString(pipe, "x")
			return wire.Suspended{}, err
		},
		"writes without end": func(pipe *os.File) (wire.Suspended, error) {
			b := make([]byte, 1<<20)
			for {
				if _, err := pipe.Write(b); err != nil {
					return wire.Suspended{}, nil
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := privateDir(t)
			r := keeperRig(t, dir, &mock{build: "b", heap: "x", suspend: suspend})
			id := r.mustStart()
			if _, err := r.hibernate(id); !errors.Is(err, mp.ErrEnded) {
				t.Errorf("hibernated with %v", err)
			}
			if exit := r.exit(id); exit.Cause != mp.CauseProtocol {
				t.Errorf("ended by %v", exit)
			}
			for _, sub := range []string{"instances", "packages"} {
				if left, _ := os.ReadDir(filepath.Join(dir, sub)); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			}
		})
	}
	closeAll(held...)
}

// When the image cannot be written after all, the program goes on from memory.
func TestImageThatCannotBeKept(t *testing.T) {
	dir := privateDir(t)
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	m := &mock{build: "b"}
	m.suspend = func(pipe *os.File) (wire.Suspended, error) { // more than the launcher saw in memory
		_, err := pipe.Write(bytes.Repeat([]byte("x"), 8<<20))
		return wire.Suspended{}, err
	}
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	if _, err := r.hibernate(id); err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "goes on") {
		t.Errorf("hibernated with %v", err)
	}
	if _, err := r.call(id, "f", ""); err != nil || r.told(id) != "running" || r.workers() != 1 {
		t.Errorf("afterwards: %v, %q, %d workers", err, r.told(id), r.workers())
	}
	if got := m.list(&m.boots); len(got) != 2 || len(got[1]) != 1<<20 { // as much as the mock reads
		t.Errorf("booted %d times", len(got))
	}
	r.halt()
	r = keeperRig(t, dir, m)
	if r.told(id) != "" {
		t.Errorf("after a restart it is %q", r.told(id))
	}
}

// A program that is killed while it is hibernated is gone, whichever comes first.
func TestKillWhileHibernating(t *testing.T) {
	began, go_ := make(chan struct{}), make(chan struct{})
	m := &mock{build: "b", suspend: func(pipe *os.File) (wire.Suspended, error) {
		close(began)
		<-go_
		io.WriteString(pipe, "x")
		return wire.Suspended{}, nil
	}}
	dir := privateDir(t)
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	failed := make(chan error, 1)
	go func() { _, err := r.hibernate(id); failed <- err }()
	<-began
	if _, err := r.call(id, "f", ""); err == nil || !strings.Contains(err.Error(), "being hibernated") {
		t.Errorf("called meanwhile: %v", err)
	}
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id}); err != nil {
		t.Error(err)
	}
	close(go_)
	if err := <-failed; !errors.Is(err, mp.ErrEnded) {
		t.Errorf("hibernated with %v", err)
	}
	if exit := r.exit(id); exit.Cause != mp.CauseKilled {
		t.Errorf("ended by %v", exit)
	}
	r.halt()
	if r = keeperRig(t, dir, m); r.told(id) != "" {
		t.Errorf("after a restart it is %q", r.told(id))
	}
}

// The package goes with its program: a supervisor whose copy was changed says
// what to do, and does it when that is done.
func TestPackageOfHibernated(t *testing.T) {
	dir, m := privateDir(t), &mock{build: "b", heap: "x"}
	r := keeperRig(t, dir, m)
	other := r.put("other")
	res, err := r.client.Start(context.Background(), &controlpb.StartRequest{Digest: other})
	if err != nil {
		t.Fatal(err)
	}
	id := res.GetId()
	r.mustHibernate(id)
	r.halt()
	copies, err := os.ReadDir(filepath.Join(dir, "packages"))
	if err != nil || len(copies) != 1 {
		t.Fatal(copies, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "packages", copies[0].Name()), []byte("not a package"), 0o600); err != nil {
		t.Fatal(err)
	}
	r = keeperRig(t, dir, m)
	if _, err := r.client.Resume(context.Background(), &controlpb.ResumeRequest{Id: id}); err == nil || !strings.Contains(err.Error(), "put the package again") {
		t.Errorf("resumed with %v", err)
	}
	r.put("other")
	if res := r.mustResume(id); res.GetImage() != "instance" {
		t.Errorf("resumed: %v", res)
	}
}
