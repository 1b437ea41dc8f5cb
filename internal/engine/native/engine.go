package native

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Engine runs one native program.
type Engine struct {
	host    engine.Host
	program engine.Program
	child   *child
	bridge  *bridge
	outputs []*console
	calls   calls
	reading sync.WaitGroup // the bridge and the outputs

	life context.Context // ends when the program has: nobody waits for its requests then
	over context.CancelFunc

	mu   sync.Mutex
	why  *engine.Exit  // guarded by mu: why the program must end
	stop chan struct{} // closed when why is set
}

var _ engine.Engine = (*Engine)(nil)

// How long the last things may take.
const (
	drainTime = time.Second            // to read what a program left in its pipes
	graceTime = 100 * time.Millisecond // for a program to read why it is ended
)

// New returns an engine that is ready to Load.
func New(host engine.Host) *Engine {
	e := &Engine{host: host, stop: make(chan struct{})}
	e.life, e.over = context.WithCancel(context.Background())
	return e
}

// Load executes the program. See engine.Engine. What a native program exports
// cannot be known: there are no names. The error is an *engine.Exit, with the
// code that a shell gives, when the program cannot be executed.
func (e *Engine) Load(_ context.Context, p engine.Program) ([]string, error) {
	e.program = p
	w, err := newWiring(p.Exec)
	if err != nil {
		return nil, err
	}
	pid, err := spawn(&p, w)
	if err != nil {
		w.close()
		e.calls.shut(err)
		return nil, err
	}
	w.closeTheirs()
	e.child = watch(pid)
	e.attend(w)
	return nil, nil
}

// attend begins to read what the program writes.
func (e *Engine) attend(w *wiring) {
	e.bridge = newBridge(e, w.host)
	e.reading.Go(e.bridge.run)
	for _, o := range w.outputs {
		c := newConsole(o.file, o.level, e.host.Log)
		e.outputs = append(e.outputs, c)
		e.reading.Go(c.run)
	}
}

// Run waits for the program's end. See engine.Engine. A line that breaks the
// rules of the bridge is the reason even if the program has ended since.
func (e *Engine) Run(ctx context.Context) (err error) {
	defer func() { e.over(); e.calls.shut(err) }()
	select {
	case <-e.child.ended:
		e.drain()
	case <-e.stop:
		e.kill()
	case <-ctx.Done():
		e.child.signal(syscall.SIGKILL)
		return ctx.Err()
	}
	if why := e.reason(); why != nil {
		return why
	}
	return e.child.exit()
}

// kill ends the program for the reason that was given.
func (e *Engine) kill() {
	if e.reason().Cause == mp.CauseProtocol {
		e.bridge.out.flush(graceTime)
		within(e.child.ended, graceTime)
	}
	e.child.signal(syscall.SIGKILL)
	within(e.child.ended, drainTime)
	e.drain()
}

// drain reads what the program has left in its pipes, and not what processes
// that it left behind go on to write.
func (e *Engine) drain() {
	e.bridge.in.last()
	for _, c := range e.outputs {
		c.in.last()
	}
	done := make(chan struct{})
	go func() { e.reading.Wait(); close(done) }()
	within(done, drainTime)
}

// within waits for c, and not for longer than d.
func within(c <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
	case <-t.C:
	}
}

// end makes the program end. The first reason stays.
func (e *Engine) end(cause mp.Cause, detail string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == nil {
		e.why = &engine.Exit{Exit: mp.Exit{Cause: cause, Detail: detail}}
		close(e.stop)
	}
}

func (e *Engine) reason() *engine.Exit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

var errNotLoaded = errors.New("the program is not there yet")

// Signal sends a signal to the program's process group. It may be called from
// any goroutine once Load has returned. The error is mp.ErrEnded when there is
// no program any more.
func (e *Engine) Signal(number int) error {
	return e.child.signal(syscall.Signal(number))
}

// Close gives up what Load opened, and kills the program if it still runs.
// Whoever is process 1 can exit in its place.
func (e *Engine) Close() {
	if e.child == nil {
		return
	}
	e.child.signal(syscall.SIGKILL)
	<-e.child.ended
	e.calls.shut(mp.ErrEnded)
	e.bridge.file.Close()
	for _, c := range e.outputs {
		c.file.Close()
	}
	e.reading.Wait()
}
