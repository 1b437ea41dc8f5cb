package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// program is one that this command started and holds on to: it ends when the
// command does, however that happens.
type program struct {
	client  *control.Client
	id      string
	exports []string
	lines   chan struct{} // closed when its last console line is printed
	waited  chan waitResult
	release context.CancelFunc
	exit    *controlpb.Exit // it ended while its module was evaluated; nothing else is set then
}

type waitResult struct {
	exit *controlpb.Exit
	err  error
}

// start starts a program with the files that req announces, and prints its
// console lines from then on.
func (a *app) start(ctx context.Context, c *control.Client, req *controlpb.StartRequest, files ...*os.File) (*program, error) {
	r, err := c.StartFiles(ctx, req, files...)
	if err != nil {
		var answer *control.Error
		if errors.As(err, &answer) {
			a.lastWords(ctx, c, string(answer.ID))
		}
		return nil, err
	}
	if r.GetExit() != nil {
		a.lastWords(ctx, c, r.GetId())
		return &program{client: c, id: r.GetId(), exit: r.GetExit(), release: func() {}}, nil
	}
	// Waiting goes on when ctx ends: the program is to be killed first.
	held, release := context.WithCancel(context.WithoutCancel(ctx))
	p := &program{client: c, id: r.GetId(), exports: r.GetExports(), release: release,
		lines: make(chan struct{}), waited: make(chan waitResult, 1)}
	go func() {
		defer close(p.lines)
		req := &controlpb.LogsRequest{Id: p.id, Follow: true}
		eachLine(held, c, req, a.consoleLine) // its failure is the supervisor's, and Wait tells
	}()
	go func() {
		w, err := c.Wait(held, &controlpb.WaitRequest{Id: p.id, Attached: true})
		p.waited <- waitResult{w.GetExit(), err}
	}()
	return p, nil
}

// lastWords prints what a program wrote that ended before it was started up.
// Without the lines there is still what became of it.
func (a *app) lastWords(ctx context.Context, c *control.Client, id string) {
	if id != "" {
		eachLine(ctx, c, &controlpb.LogsRequest{Id: id}, a.consoleLine)
	}
}

func (a *app) consoleLine(l *controlpb.LogLine) error { return printLine(a.err, l, "") }

// wait returns when the program has ended, by itself or because ctx has.
func (p *program) wait(ctx context.Context) error {
	exit, err := p.await(ctx)
	if err != nil {
		return err
	}
	return exitError(exit)
}

// await is wait, and tells how the program ended.
func (p *program) await(ctx context.Context) (mp.Exit, error) {
	select {
	case w := <-p.waited:
		p.drain()
		if w.err != nil {
			return mp.Exit{}, fmt.Errorf("cannot wait for the program: %w", w.err)
		}
		return exitOf(w.exit), nil
	case <-ctx.Done():
		return mp.Exit{}, errors.Join(p.kill(), ctx.Err())
	}
}

// callOnce calls one function and ends the program.
func (p *program) callOnce(ctx context.Context, a *app, name string, input []byte) error {
	err := a.call(ctx, p.client, &controlpb.CallRequest{Id: p.id, Name: name, InputJson: string(input)})
	switch {
	case errors.Is(err, mp.ErrEnded):
		p.drain()
		return ended(err)
	case errors.Is(err, mp.ErrNotFound):
		err = fmt.Errorf("%w%s", err, exportsHint(name, p.exports))
	}
	return errors.Join(err, p.kill())
}

// kill ends the program and prints its last lines.
func (p *program) kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	_, err := p.client.Kill(ctx, &controlpb.KillRequest{Id: p.id})
	p.drain()
	if err != nil && !errors.Is(err, mp.ErrEnded) {
		return fmt.Errorf("cannot end the program: %w", err)
	}
	return nil
}

// drain waits until the console lines are printed, but not for ever.
func (p *program) drain() {
	select {
	case <-p.lines:
	case <-time.After(lastLinesTimeout):
	}
}

func (p *program) close() { p.release() }

func exitOf(e *controlpb.Exit) mp.Exit {
	return mp.Exit{Cause: mp.Cause(e.GetCause()), Code: int(e.GetCode()), Signal: int(e.GetSignal()),
		Syscall: e.GetSyscall(), Fault: mp.Fault(e.GetFault()), Detail: e.GetDetail()}
}

// exportsHint says what could be called in place of name.
func exportsHint(name string, exports []string) string {
	if len(exports) == 0 {
		return "; the program exports no function"
	}
	for _, e := range exports {
		if distance(e, name) <= 2 {
			return fmt.Sprintf("; did you mean %s?", e)
		}
	}
	return "; the program exports " + strings.Join(exports, ", ")
}
