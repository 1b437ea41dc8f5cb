package supervisor

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

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
