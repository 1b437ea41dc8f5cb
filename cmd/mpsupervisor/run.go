package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Deadlines of what is done after the program, so that it cannot hold us up.
const (
	killTimeout       = 15 * time.Second
	lastLinesTimeout  = 3 * time.Second
	completionTimeout = 2 * time.Second
	endTimeout        = time.Second // between the end of a connection and that of its process
)

// run runs a program, start to end.
func (a *app) run(cmd *cobra.Command, o runOptions) (err error) {
	ctx, sig := catchSignals(cmd.Context())
	defer func() {
		err = bySignal(ctx, err)
		sig.stop()
	}()
	j := job{a: a, o: o, signals: sig, req: &controlpb.StartRequest{Limits: o.limits.asked(cmd.Flags()), Attached: true, Learn: o.learn},
		learnJSON: cmd.Flags().Changed("output") && a.format == formatJSON}
	if err := j.open(); err != nil {
		return err
	}
	defer j.close()
	s, err := a.connect(ctx, inPlaceOptions{config: o.config, learn: o.learn})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	j.session = s
	if err := j.gather(); err != nil {
		return err
	}
	if err := j.put(s.ctx); err != nil {
		return s.explain(err)
	}
	if j.streams() {
		return s.explain(j.stream(s.ctx))
	}
	return s.explain(j.converse(s.ctx))
}

// bySignal turns the end of the command's context by a signal into the exit
// status that says so.
func bySignal(ctx context.Context, err error) error {
	var by signalled
	if errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &by) {
		return &statusError{status: 128 + int(by.signal)}
	}
	return err
}

// printSeal lists the locks of the worker as verified from outside.
func (a *app) printSeal(ctx context.Context, c *control.Client, id string) error {
	r, err := c.Inspect(ctx, &controlpb.InspectRequest{Id: id})
	if err != nil {
		return fmt.Errorf("cannot tell what the program is sealed with: %w", err)
	}
	locks := viewLocks(r.GetLocks())
	fmt.Fprintf(a.err, "sealed with %d locks, as the launcher found them from outside the worker:\n", len(locks))
	t := newTable(a.err)
	for _, l := range locks {
		t.row("  "+mark(l.OK), l.Name, l.Found)
	}
	return t.flush()
}

// startHint says what to do about a worker that ended before the program was in
// it.
func startHint(err error) string {
	var answer *control.Error
	if !errors.As(err, &answer) || answer.Exit == nil || errors.Is(err, mp.ErrBadPackage) {
		return ""
	}
	return "; sudo mpsupervisor doctor looks for what is wrong here"
}

// ended turns an error that tells how a program ended into the exit status of
// that end. It is not for one whose worker never got as far as the program:
// how that worker ended is no exit of the program's.
func ended(err error) error {
	var answer *control.Error
	if !errors.As(err, &answer) || answer.Exit == nil {
		return err
	}
	return exitError(*answer.Exit)
}

// exitError is nil if the program ended itself with code 0. One that ended
// itself with another code needs no words; a worker that crashed does, and then
// there is a detail.
func exitError(e mp.Exit) error {
	switch {
	case e.Cause != mp.CauseExited, e.Code != 0 && e.Detail != "":
		return &statusError{status: e.Status(), err: fmt.Errorf("the program ended: %s", e)}
	case e.Code != 0:
		return &statusError{status: e.Status()}
	}
	return nil
}
