package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// fakeLauncher plays workers in goroutines, so that hostile ones run fast. It
// holds the Launcher's contract: one Exited for each worker, after its end.
type fakeLauncher struct {
	t       *testing.T
	exits   chan launch.Exited
	notices chan launch.Notice
	done    chan struct{}

	mu      sync.Mutex
	play    func(*fakeWorker) launch.Exited // what the next worker does
	fail    error                           // what the next Start answers
	locks   []launch.Lock                   // what Stat finds
	workers map[mp.InstanceID]*fakeWorker
	kills   int
	pid     int
	refuse  error                                        // what Limit, Freeze and Thaw answer
	limits  map[mp.InstanceID]mp.Limits                  // as Start and Limit set them
	frozen  map[mp.InstanceID]bool                       // as Freeze and Thaw set them
	starts  []launch.Start                               // what Start was asked
	use     func(id mp.InstanceID) (launch.Sample, bool) // what Sample finds; nil: nothing used
	samples int                                          // how often Sample was asked
}

// fakeWorker is the worker's side of what a worker process inherits.
type fakeWorker struct {
	t                      *testing.T
	channel, birth, stderr *os.File
	life                   *os.File      // closed at the end: the pidfd reads its other end
	killed                 chan struct{} // closed by Kill
	once                   sync.Once
	proc                   launch.Started
	hears                  bool // what it plays answers events itself
}

func allLocks() (locks []launch.Lock) {
	for _, l := range lock.All() {
		locks = append(locks, launch.Lock{Name: string(l.Name), Want: "on", Found: "on", OK: true})
	}
	return locks
}

func newFakeLauncher(t *testing.T) *fakeLauncher {
	return &fakeLauncher{
		t:       t,
		exits:   make(chan launch.Exited, 300),
		notices: make(chan launch.Notice, 1024),
		limits:  map[mp.InstanceID]mp.Limits{},
		frozen:  map[mp.InstanceID]bool{},
		done:    make(chan struct{}),
		play:    honest,
		locks:   allLocks(),
		workers: map[mp.InstanceID]*fakeWorker{},
		pid:     1000,
	}
}

func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	raw.Control(func(fd uintptr) { n, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(n), f.Name())
}

func (l *fakeLauncher) Start(_ context.Context, s launch.Start) (launch.Started, *os.File, error) {
	id, limits, channel, birth, stderr := s.ID, s.Limits, s.Channel, s.Birth, s.Stderr
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return launch.Started{}, nil, l.fail
	}
	if (s.Role == launch.RoleNative) != (s.Root != nil) || limits.Check() != nil {
		l.t.Errorf("asked for role %q with root %v and limits %+v", s.Role, s.Root, limits)
	}
	l.starts = append(l.starts, s)
	l.limits[id] = limits
	pidfd, life, err := os.Pipe()
	if err != nil {
		l.t.Fatal(err)
	}
	l.pid++
	w := &fakeWorker{
		t: l.t, channel: dup(l.t, channel), birth: dup(l.t, birth), stderr: dup(l.t, stderr),
		life: life, killed: make(chan struct{}),
		proc: launch.Started{Pid: l.pid, StartTime: 7, Policy: mp.Digest{1}},
	}
	l.workers[id] = w
	go l.run(id, w, l.play)
	return w.proc, pidfd, nil
}

// run plays a worker until it ends or is killed. Either closes everything that
// it holds, as the kernel does; a play that is killed is left to notice.
func (l *fakeLauncher) run(id mp.InstanceID, w *fakeWorker, play func(*fakeWorker) launch.Exited) {
	ended := make(chan launch.Exited, 1)
	go func() { ended <- play(w) }()
	e := launch.Exited{Signal: int(unix.SIGKILL)}
	select {
	case e = <-ended:
	case <-w.killed:
	}
	closeAll(w.channel, w.birth, w.stderr, w.life)
	l.mu.Lock()
	delete(l.workers, id)
	l.mu.Unlock()
	e.ID = id
	e.CPUMicros, e.PeakBytes = 1500, 4<<20
	l.exits <- e
}

func (l *fakeLauncher) Kill(_ context.Context, id mp.InstanceID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills++
	w := l.workers[id]
	if w == nil {
		return mp.ErrNotFound
	}
	w.once.Do(func() { close(w.killed) })
	return nil
}

func (l *fakeLauncher) Stat(_ context.Context, id mp.InstanceID) (launch.Stat, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.workers[id]
	if w == nil {
		return launch.Stat{}, mp.ErrNotFound
	}
	return launch.Stat{Pid: w.proc.Pid, State: "running", CPU: time.Millisecond, Memory: 2 << 20, Peak: 3 << 20, Pids: 5, Locks: l.locks}, nil
}

// change notes what the supervisor had changed, if there is such a worker.
func (l *fakeLauncher) change(id mp.InstanceID, do func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.refuse != nil:
		return l.refuse
	case l.workers[id] == nil:
		return mp.ErrNotFound
	}
	do()
	return nil
}

func (l *fakeLauncher) Limit(_ context.Context, id mp.InstanceID, limits mp.Limits) error {
	return l.change(id, func() { l.limits[id] = limits })
}

func (l *fakeLauncher) Freeze(_ context.Context, id mp.InstanceID) error {
	return l.change(id, func() { l.frozen[id] = true })
}

func (l *fakeLauncher) Thaw(_ context.Context, id mp.InstanceID) error {
	return l.change(id, func() { l.frozen[id] = false })
}

func (l *fakeLauncher) Sample(_ context.Context, ids []mp.InstanceID) (all []launch.Sample, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples++
	if len(ids) == 0 || len(ids) > launch.MaxSamples {
		l.t.Errorf("asked for %d samples", len(ids))
	}
	for _, id := range ids {
		if l.use == nil || l.workers[id] == nil {
			continue
		}
		if s, ok := l.use(id); ok {
			s.ID = id
			all = append(all, s)
		}
	}
	return all, nil
}

func (l *fakeLauncher) Notices() <-chan launch.Notice { return l.notices }

func (l *fakeLauncher) Exits() <-chan launch.Exited { return l.exits }
func (l *fakeLauncher) Done() <-chan struct{}       { return l.done }
func (l *fakeLauncher) Err() error                  { return io.EOF }

// next sets what workers do from now on.
func (l *fakeLauncher) next(play func(*fakeWorker) launch.Exited) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.play, l.fail, l.locks = play, nil, allLocks()
}

// set makes Start fail, and Stat find these locks.
func (l *fakeLauncher) set(fail error, locks []launch.Lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail, l.locks = fail, locks
}

// shutdown ends one or both directions of the channel.
func (w *fakeWorker) shutdown(how int) {
	if raw, err := w.channel.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), how) })
	}
}

// handlerFunc answers what a worker is asked.
type handlerFunc func(ctx context.Context, m wire.Method, body []byte) ([]byte, error)

func (h handlerFunc) HandleCall(ctx context.Context, body []byte, files []*os.File) ([]byte, error) {
	for _, f := range files {
		f.Close()
	}
	m, rest, err := wire.Split(body)
	if err != nil {
		return nil, err
	}
	return h(ctx, m, rest)
}

func (handlerFunc) HandleNotify([]byte) {}

// open reads the birth record and shakes hands. It is nil if that fails,
// because the worker is being killed.
func (w *fakeWorker) open(h ipc.Handler) *ipc.Conn {
	text, err := io.ReadAll(w.birth)
	if err != nil {
		return nil
	}
	b, err := wire.UnmarshalBirth(text)
	if err != nil {
		return nil
	}
	if b.Pid != w.proc.Pid || b.StartTime != w.proc.StartTime || b.Policy != w.proc.Policy || b.Secret == [32]byte{} {
		w.t.Errorf("born as %+v", b)
	}
	conn, err := ipc.New(context.Background(), dup(w.t, w.channel), ipc.Config{Secret: b.Secret, Prologue: b.Prologue(), Handler: h})
	if err != nil {
		return nil
	}
	go func() { // the kernel closes the channel of a killed worker
		<-w.killed
		conn.Close()
	}()
	return conn
}

// say sends a notification; it panics on what wire refuses to send.
func say(conn *ipc.Conn, m wire.Method, v wire.Message) error {
	body, err := wire.Marshal(m, v)
	if err != nil {
		panic(err)
	}
	return conn.Notify(context.Background(), body)
}

func encoded(v wire.Message) ([]byte, error) { return wire.MarshalReply(v) }

var sealed = &wire.Sealed{Locks: []string{"seccomp"}, Landlock: 7, Image: "mapped"}

// scripted is a worker that seals itself, and then answers by the handler.
func scripted(answer func(w *fakeWorker, conn *ipc.Conn, m wire.Method, body []byte) ([]byte, error)) func(*fakeWorker) launch.Exited {
	return func(w *fakeWorker) launch.Exited {
		exit := make(chan launch.Exited, 1)
		ready := make(chan *ipc.Conn, 1)
		conn := w.open(handlerFunc(func(_ context.Context, m wire.Method, body []byte) ([]byte, error) {
			conn := <-ready
			ready <- conn
			if m == wire.MethodEvent && !w.hears {
				return encoded(&wire.EventDone{})
			}
			out, err := answer(w, conn, m, body)
			if e := (*exitNow)(nil); errors.As(err, &e) {
				exit <- launch.Exited(*e)
				select {} // the process is gone
			}
			return out, err
		}))
		if conn == nil {
			return launch.Exited{Code: codeChannelGone}
		}
		ready <- conn
		say(conn, wire.MethodSealed, sealed)
		var e launch.Exited
		select {
		case e = <-exit:
		case <-conn.Done():
			e = launch.Exited{Code: codeChannelGone}
		}
		conn.Close()
		return e
	}
}

// exitNow has a scripted worker exit instead of answering.
type exitNow launch.Exited

func (*exitNow) Error() string { return "exit" }

// honest boots, prints a line, and echoes its calls. Some names do more.
var honest = scripted(func(_ *fakeWorker, conn *ipc.Conn, m wire.Method, body []byte) ([]byte, error) {
	if m == wire.MethodBoot {
		return encoded(&wire.Booted{Exports: []string{"echo"}})
	}
	if m == wire.MethodHeap {
		return encoded(&wire.Done{})
	}
	var c wire.Call
	if err := wire.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if c.Name == "print" {
		say(conn, wire.MethodLog, &wire.Log{Lines: []wire.LogLine{{Level: "info", Text: string(c.Input)}}})
	}
	return encoded(&wire.Reply{Output: c.Input})
})

// rig is a supervisor that runs, with a client.
type rig struct {
	*Supervisor
	t        *testing.T
	launcher *fakeLauncher
	client   *control.Client
	digest   string
	stop     context.CancelFunc
	ran      chan error
}

// impatient is the version of a rig that gives starts little time.
const impatient = "impatient"

var quick = timing{
	start:  5 * time.Second,
	grace:  50 * time.Millisecond,
	linger: 100 * time.Millisecond,
	kill:   time.Second,
	undo:   5 * time.Second,
	unload: 50 * time.Millisecond,
	lease:  50 * time.Millisecond,
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	l := newFakeLauncher(t)
	cfg := Config{Launcher: l, Version: "test", Log: slog.New(slog.DiscardHandler), Settings: DefaultSettings()}
	cfg.Quarantine.Crashes = 0 // most tests crash one package all the time
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.timing = quick
	if cfg.Version == impatient {
		s.timing.start = 100 * time.Millisecond
	}
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := control.Listen(socket, -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{Supervisor: s, t: t, launcher: l, client: control.Dial(socket), stop: stop, ran: make(chan error, 1)}
	go func() { r.ran <- s.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		r.client.Close()
		<-r.ran
	})
	r.digest = r.put("one")
	return r
}

const manifest = `{"app_id":"com.example.%s","name":"Test","icons":[{"src":"icon.png"}],"pages":["pages/index"],
"platform_version":{"min_code":1},"version":{"name":"1.0","code":1}%s}`

// packed makes a package whose content differs by name.
func packed(t *testing.T, name, more string) *os.File {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"manifest.json": fmt.Sprintf(manifest, name, more), "app.js": "export const a = 1;"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := bundle.Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// lend has the rig report to a subtest until the function it returns is called.
func (r *rig) lend(t *testing.T) func() {
	owner := r.t
	r.t = t
	return func() { r.t = owner }
}

func (r *rig) put(name string) string {
	r.t.Helper()
	res, err := r.client.PutPackage(context.Background(), packed(r.t, name, ""))
	if err != nil {
		r.t.Fatal(err)
	}
	return res.GetDigest()
}

func (r *rig) start() (*controlpb.StartResponse, error) {
	return r.client.Start(context.Background(), &controlpb.StartRequest{Digest: r.digest})
}

func (r *rig) mustStart() string {
	r.t.Helper()
	res, err := r.start()
	if err != nil {
		r.t.Fatal(err)
	}
	return res.GetId()
}

func (r *rig) call(id, name, input string) (*controlpb.CallResponse, error) {
	return r.client.Call(context.Background(), &controlpb.CallRequest{Id: id, Name: name, InputJson: input})
}

// exit waits for a program's end.
func (r *rig) exit(id string) mp.Exit {
	r.t.Helper()
	res, err := r.client.Wait(context.Background(), &controlpb.WaitRequest{Id: id})
	if err != nil {
		r.t.Fatal(err)
	}
	return control.DecodeExit(res.GetExit())
}

// alive has an honest neighbour answer, to show that it was left alone.
func (r *rig) alive(id string) {
	r.t.Helper()
	res, err := r.call(id, "echo", `"here"`)
	if err != nil || res.GetOutputJson() != `"here"` {
		r.t.Errorf("the neighbour answers %v, %v", res, err)
	}
}

// kinds lists the types of the events about an instance.
func (r *rig) kinds(id string) (kinds []string) {
	r.events.each(context.Background(), false, func(e event, _ uint64) error {
		if string(e.ID) == id {
			kinds = append(kinds, e.Type)
		}
		return nil
	})
	return kinds
}
