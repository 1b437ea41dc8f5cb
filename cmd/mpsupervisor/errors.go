package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// statusError carries an exit status. Its error may be nil, when everything
// has been said already.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// usageError is a mistake in the command line.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nSee %q.", e.err, e.cmd.CommandPath()+" --help")
}

func (e *usageError) Unwrap() error { return e.err }

// signalled is the cause of a context that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return s.signal.String() }

// withSignals ends the context at the first SIGINT or SIGTERM. The second one
// ends the process as if it were not handled.
func withSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if s, ok := <-signals; ok {
			signal.Stop(signals)
			cancel(signalled{s.(syscall.Signal)})
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// finish prints the error of a command, if there is something to say, and
// returns the exit status.
func (a *app) finish(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	var s *statusError
	if errors.As(err, &s) && s.err == nil {
		return s.status
	}
	var by signalled
	if errors.As(context.Cause(ctx), &by) && errors.Is(err, context.Canceled) {
		return 128 + int(by.signal)
	}
	fmt.Fprintf(a.err, "mpsupervisor: %s\n", printable(err.Error(), true))
	printGuest(a.err, err)
	return statusOf(err)
}

// statusOf maps an error to the exit status that says what kind it is.
func statusOf(err error) int {
	var s *statusError
	var answer *control.Error
	switch {
	case errors.As(err, &s):
		return s.status
	case errors.Is(err, mp.ErrEnded) && errors.As(err, &answer) && answer.Exit != nil:
		return answer.Exit.Status()
	case errors.Is(err, mp.ErrNotFound):
		return mp.StatusNotFound
	case errors.Is(err, mp.ErrBadPackage):
		return mp.StatusCannot
	}
	return mp.StatusFailed
}

// flagError explains a flag that does not exist or has a wrong value.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			err = fmt.Errorf("%w; did you mean --%s?", err, near)
		}
	}
	return &usageError{cmd: cmd, err: err}
}

// nearestFlag finds the one flag that is at most two edits from name.
func nearestFlag(cmd *cobra.Command, name string) string {
	best, at := "", 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if d := distance(f.Name, name); !f.Hidden && d < at {
			best, at = f.Name, d
		}
	})
	return best
}

// distance is the number of insertions, deletions and replacements between a
// and b (Levenshtein), computed row by row.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// noDaemon reports whether nothing listens on the control socket.
func noDaemon(err error) bool { return errors.Is(err, control.ErrNoDaemon) }

// joinIDs lists identifiers for people.
func joinIDs(ids []string) string { return strings.Join(ids, ", ") }
