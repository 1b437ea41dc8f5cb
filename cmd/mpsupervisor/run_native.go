package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// streams reports whether the program has this command's standard input and
// output: a native one that is not called.
func (j *job) streams() bool { return j.runtime == bundle.RuntimeNative && j.o.call == "" }

// native says how the program is executed.
func (j *job) native() *controlpb.Native {
	n := &controlpb.Native{Root: j.o.native, Tty: j.o.tty, Args: j.o.args, Env: j.o.env, Dir: j.o.workdir}
	if j.o.tty {
		n.Env = append(termVariable(), n.Env...)
	}
	return n
}

// stream runs a native program, and carries its standard input and output until
// it has ended and all that it wrote is written.
func (j *job) stream(ctx context.Context) (err error) {
	st, err := j.openStdio()
	if err != nil {
		return err
	}
	defer st.close()
	j.req.Native = j.native()
	j.req.Native.Stdio = true
	files := st.theirs
	if j.root != nil {
		files = append([]*os.File{j.root}, files...)
	}
	st.pump(j.standardInput())
	p, err := j.start(ctx, files...)
	st.sent()
	if err != nil {
		return err
	}
	defer p.close()
	end, err := j.follow(ctx, p)
	if written := st.finish(); err == nil {
		err = written
	}
	if err == nil {
		err = nativeEnd(end)
	}
	st.restore() // before anything is said about the end
	return j.learned(p, err)
}

// standardInput is this command's, read only when it may be.
func (j *job) standardInput() io.Reader {
	if own, ok := isTerminal(j.a.in); ok {
		return foreground{own}
	}
	return j.a.in
}

// openStdio makes what the program gets for its standard input and output.
func (j *job) openStdio() (*stdio, error) {
	if !j.o.tty {
		return newPipes(j.a.out, j.a.err)
	}
	own, ok := isTerminal(j.a.in)
	if !ok {
		return nil, errors.New("--tty needs a terminal, and standard input is none: leave it out")
	}
	errs := &lineEnds{Writer: j.a.err}
	j.a.err = errs
	return newTerminal(own, j.a.out, errs)
}

// follow has a program take this command's signals until it has ended.
func (j *job) follow(ctx context.Context, p *program) (mp.Exit, error) {
	if p.exit != nil {
		return exitOf(p.exit), nil
	}
	j.signals.forward(p.signalTo(ctx, func(err error) {
		fmt.Fprintf(j.a.err, "mpsupervisor: %s\n", printable(err.Error(), true))
	}))
	if j.o.verbose {
		if err := j.a.printSeal(ctx, j.session.client, p.id); err != nil && !errors.Is(err, mp.ErrEnded) {
			return mp.Exit{}, errors.Join(err, p.kill())
		}
	}
	return p.await(ctx)
}

// nativeEnd is exitError for a program that has its own standard error: of a
// signal that somebody sent it nothing need be said, and of a program that could
// not be executed only why.
func nativeEnd(e mp.Exit) error {
	switch {
	case e.Cause == mp.CauseSignal && (e.Signal == int(syscall.SIGPIPE) || slices.Contains(forwarded, os.Signal(syscall.Signal(e.Signal)))):
		return &statusError{status: e.Status()}
	case e.Cause == mp.CauseExited && e.Detail != "" && (e.Code == mp.StatusCannot || e.Code == mp.StatusNotFound):
		return &statusError{status: e.Code, err: errors.New(e.Detail)}
	}
	return exitError(e)
}
