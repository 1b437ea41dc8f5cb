package js

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	e.mu.Lock()
	s := e.suspending
	e.suspending = nil
	e.mu.Unlock()
	if s == nil {
		return false
	}
	err := s.ctx.Err()
	if err == nil {
		err = e.snapshot(s.kind, s.file)
	}
	if err == nil {
		e.suspended = true
		e.shut(errSuspended)
	}
	s.done(err)
	return true
}

// snapshot writes the image.
func (e *Engine) snapshot(ImageKind, *os.File) error {
	return errors.New("this engine's prelude was not mapped from an image")
}
