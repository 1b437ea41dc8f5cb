package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
)

// Deadlines of what is done after the program, so that it cannot hold us up.
const (
	killTimeout       = 15 * time.Second
	lastLinesTimeout  = 3 * time.Second
	completionTimeout = 2 * time.Second
	endTimeout        = time.Second // between the end of a connection and that of its process
)

// run runs a program from its directory, start to end.
func (a *app) run(cmd *cobra.Command, o runOptions) (err error) {
	if err := checkDirectory(o.dir); err != nil {
		return err
	}
	s, err := a.connect(cmd.Context(), inPlaceOptions{config: o.config})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	ctx := s.ctx
	pkg, input, err := a.gather(o, s.inPlace)
	if err != nil {
		return err
	}
	defer pkg.Close()
	if err := checkInput(input); err != nil {
		return err
	}
	digest, err := a.put(ctx, s.client, o.dir, pkg)
	if err != nil {
		return s.explain(err)
	}
	p, err := a.start(ctx, s.client, &controlpb.StartRequest{Digest: digest, Limits: o.limits.asked(cmd.Flags()), Attached: true})
	if err != nil {
		return s.explain(fmt.Errorf("cannot run %s: %w%s", o.dir, err, startHint(err)))
	}
	defer p.close()
	if p.exit != nil {
		return exitError(exitOf(p.exit))
	}
	if o.verbose {
		if err := a.printSeal(ctx, s.client, p.id); err != nil {
			return errors.Join(err, p.kill())
		}
	}
	if o.call == "" {
		return s.explain(p.wait(ctx))
	}
	return s.explain(p.callOnce(ctx, a, o.call, input))
}

// checkDirectory catches a wrong argument before anything is started for it.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("cannot run %s: %w: there is no such directory", dir, mp.ErrNotFound)
	case err != nil:
		return fmt.Errorf("cannot run %s: %w", dir, err)
	case !info.IsDir():
		return fmt.Errorf("cannot run %s: %w: it is no directory; name the one that has manifest.json in it", dir, mp.ErrBadPackage)
	}
	return nil
}

// gather reads package and input while it still may, and then gives up the
// right to. Bytes are copied here; nothing is parsed.
func (a *app) gather(o runOptions, inPlace bool) (pkg *os.File, input []byte, err error) {
	pkg, err = bundle.Pack(o.dir)
	if err != nil {
		return nil, nil, err
	}
	input, err = a.readInput(o.input)
	if err == nil && inPlace {
		err = privilege.DropAll()
	}
	if err != nil {
		pkg.Close()
		return nil, nil, err
	}
	return pkg, input, nil
}

// put hands the package over, and says what its manifest has wrong.
func (a *app) put(ctx context.Context, c *control.Client, dir string, pkg *os.File) (digest string, err error) {
	r, err := c.PutPackage(ctx, pkg)
	if err != nil {
		return "", fmt.Errorf("cannot run %s: %w", dir, err)
	}
	for _, w := range r.GetWarnings() {
		where := "manifest.json"
		if w.GetLine() > 0 {
			where += fmt.Sprintf(":%d", w.GetLine())
		}
		text := fmt.Sprintf("warning: %s: %s: %s", where, w.GetMember(), w.GetMessage())
		fmt.Fprintln(a.err, printable(text, false))
	}
	return r.GetDigest(), nil
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
