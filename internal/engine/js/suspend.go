package js

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// ImageKind says what an image of a program holds.
type ImageKind uint8

const (
	// ReadyImage is the heap after the entry's evaluation and before the first
	// event. It is good for every instance of one package.
	ReadyImage ImageKind = 1
	// InstanceImage is the heap of a running program between two turns of its
	// event loop. It is good for one continuation of that instance.
	InstanceImage ImageKind = 2
)

func (k ImageKind) String() string {
	switch k {
	case ReadyImage:
		return "ready"
	case InstanceImage:
		return "instance"
	}
	return fmt.Sprintf("ImageKind(%d)", uint8(k))
}

// ImpureError is the answer to Suspend for a ReadyImage when the evaluation
// depended on more than the package: every start must evaluate it anew.
type ImpureError struct{ Reason string }

func (e *ImpureError) Error() string { return "the program cannot be kept evaluated: " + e.Reason }

// suspension is a Suspend on its way to the engine's goroutine.
type suspension struct {
	ctx  context.Context
	kind ImageKind
	file *os.File
	done func(error)
}

var (
	errSuspending = errors.New("the program is being suspended already")

	// errSuspended is what a call gets that was in flight, or came, when the
	// program was suspended.
	errSuspended = &mp.GuestError{Name: "AbortError", Message: "the program was suspended before the call was answered"}
)

// Suspend writes an image of the program to f, and hands nil to done; the engine
// then runs nothing more, calls in flight end with a *mp.GuestError named
// AbortError, and Run waits for its context's end. It may be called from any
// goroutine after Load, and happens on Run's, between two turns.
//
// f is written from front to back, with write(2) and nothing else: in a worker it
// is a pipe, since RLIMIT_FSIZE is 0 there and the filter has no pwrite64. The
// other end gives the image back as a sealed, read-only memory file.
//
// On an error nothing was suspended and the program goes on, except that calls
// in flight may have ended as above. The error is an *ImpureError, ctx's when no
// turn's end came before its own, the program's *engine.Exit, or says what
// stands against an image. What f then holds is of no use.
func (e *Engine) Suspend(ctx context.Context, kind ImageKind, f *os.File, done func(error)) {
	if err := e.enqueueSuspension(&suspension{ctx, kind, f, done}); err != nil {
		done(err)
	}
}

func (e *Engine) enqueueSuspension(s *suspension) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed != nil:
		return e.closed
	case e.suspending != nil:
		return errSuspending
	}
	e.suspending = s
	context.AfterFunc(s.ctx, e.nudge)
	e.nudge()
	return nil
}

// suspend does what Suspend asked for, if it did. It is called between turns.
func (e *Engine) suspend() bool {
	if isUndefined(e.exports) {
		return false // Load has not ended
	}
	e.mu.Lock()
	s := e.suspending
	e.suspending = nil
	e.mu.Unlock()
	if s == nil {
		return false
	}
	err := s.ctx.Err()
	if err == nil {
		err = e.write(s.kind, s.file)
	}
	if err == nil {
		e.suspended = true
		e.shut(errSuspended)
	}
	s.done(err)
	return true
}

// write writes an image of the program to f.
func (e *Engine) write(kind ImageKind, f *os.File) error {
	if e.base == nil {
		return errors.New("the prelude was not mapped from its image, but " + e.how)
	}
	d := delta{kind: kind, base: e.base.header.sum, digest: e.program.Digest, state: e.state()}
	var err error
	switch kind {
	case ReadyImage:
		d.state.Lines, err = e.settleReady()
	case InstanceImage:
		err = e.settleInstance()
	default:
		err = fmt.Errorf("%v is no kind of image", kind)
	}
	if err != nil {
		return err
	}
	r := theRoot()
	r.program = saved{e.exports, e.alarm, e.lastID}
	d.pages, d.spans = r.heap.brk, e.base.changes(&r.heap)
	return d.write(f)
}

func (e *Engine) state() state {
	return state{
		App: e.program.AppID, Entry: e.program.Entry, Stack: e.program.Stack,
		Origin: e.program.Start.UnixMicro(), Elapsed: e.now(),
	}
}

// settleReady leaves the heap without what the evaluation does not need any more.
func (e *Engine) settleReady() ([]line, error) {
	lines, err := e.ready()
	if err == nil {
		lib.XJS_RunGC(e.tls, theRoot().runtime)
	}
	return lines, err
}

// settleInstance lets the jobs end that there are, and gives up the calls.
func (e *Engine) settleInstance() error {
	e.turn(func() {})
	if e.watch.over(e) {
		return e.ending()
	}
	for id := range e.pending {
		if c, ok := e.settled(id); ok {
			c.finish(nil, errSuspended)
		}
	}
	return nil
}

// write writes the image: what d says and the pages of its spans.
func (d *delta) write(f *os.File) error {
	head, err := d.marshal()
	if err != nil {
		return fmt.Errorf("cannot make an image: %w", err)
	}
	w := bufio.NewWriterSize(f, writeSize)
	w.Write(head)
	for _, s := range d.spans {
		w.Write(bytesAt(pageAddr(s.page), uintptr(s.count)*pageSize))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot write the image: %w", err)
	}
	return nil
}

// writeSize is how many bytes a write of short spans gathers.
const writeSize = 64 << 10
