package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
)

// silent is a host that takes what it gets.
type silent struct{}

func (silent) Log(string, string) {}
func (silent) Ask(_ context.Context, _ string, _ []byte, done func([]byte, error)) {
	done(nil, errors.New("nobody answers here"))
}

// prelude is the heap image of this executable's engine.
type prelude struct{ file *os.File }

func newPrelude() (prelude, error) {
	f, err := memory()
	if err == nil {
		err = js.WriteImage(f)
	}
	return prelude{f}, err
}

func memory() (*os.File, error) {
	fd, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "image"), nil
}

// run loads a program in a blank engine and has use do something with it, which
// ends with stop; began is when loading it did.
func (p prelude) run(ctx context.Context, program engine.Program, use func(e *js.Engine, began time.Time, stop func())) error {
	e, err := js.New(silent{}, p.file)
	if err != nil {
		return err
	}
	defer e.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	if _, err := e.Load(ctx, program); err != nil {
		return err
	}
	if program.Image != nil && e.Loaded() != "restored" {
		return fmt.Errorf("the program was %s", e.Loaded())
	}
	use(e, began, cancel)
	if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// start is an arm that loads a program and calls f.
func (p prelude) start(name string, program engine.Program) arm {
	return arm{name, func(ctx context.Context) (ms float64, _ time.Duration, err error) {
		failed := p.run(ctx, program, func(e *js.Engine, began time.Time, stop func()) {
			e.Call(ctx, "f", nil, func(_ []byte, result error) {
				ms, err = millis(time.Since(began)), result
				stop()
			})
		})
		return ms, 0, errors.Join(err, failed)
	}}
}

// suspend runs a program and writes an image of it.
func (p prelude) suspend(ctx context.Context, kind js.ImageKind, program engine.Program) (f *os.File, took time.Duration, err error) {
	if f, err = memory(); err != nil {
		return nil, 0, err
	}
	failed := p.run(ctx, program, func(e *js.Engine, _ time.Time, stop func()) {
		began := time.Now()
		e.Suspend(ctx, kind, f, func(result error) {
			took, err = time.Since(began), result
			stop()
		})
	})
	return f, took, errors.Join(err, failed)
}

// ready is a program with its ready image.
func (p prelude) ready(ctx context.Context, source string) (engine.Program, error) {
	next := program(source)
	f, _, err := p.suspend(ctx, js.ReadyImage, next)
	next.Image = f
	return next, err
}
