package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// The bounds of how often top looks.
const (
	minTopInterval = 100 * time.Millisecond
	maxTopInterval = time.Hour
)

func newTop(a *app) *cobra.Command {
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show what programs use, as it changes",
		Long: `top shows on the whole terminal what programs use, sorted, and draws it anew every
second. Keys sort, select, freeze and thaw, and end a program after a question;
"?" explains them. On a screen of fewer than 120 columns some figures are left out.

It needs a terminal. In scripts and pipes, stats prints the same once.`,
		Example: `  mpsupervisor top
  mpsupervisor top --interval 5s`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if interval < minTopInterval || interval > maxTopInterval {
				return &usageError{cmd: cmd, err: fmt.Errorf("--interval %v is not between %v and %v", interval, minTopInterval, maxTopInterval)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.top(cmd.Context(), interval) },
	}
	cmd.Flags().DurationVar(&interval, "interval", time.Second, "time between two looks")
	return cmd
}

// top is the live table's life: nothing is drawn before the first answer came,
// and the terminal is put back however it ends.
func (a *app) top(ctx context.Context, interval time.Duration) error {
	s, err := newScreen(a.in, a.out)
	if err != nil {
		return fmt.Errorf("cannot show top: %w", err)
	}
	c := a.client()
	defer c.Close()
	t := &topLoop{screen: s, client: c, model: newTopModel(), interval: interval}
	first := look(ctx, c)
	if first.err != nil {
		return fmt.Errorf("cannot show top: %w", first.err)
	}
	t.model.update(first.rows, first.at)
	defer s.leave()
	if err := s.enter(); err != nil {
		return err
	}
	return t.run(ctx)
}

// topLoop is top between the first drawing and the last.
type topLoop struct {
	screen   *screen
	client   *control.Client
	model    *topModel
	interval time.Duration

	keys    chan []byte
	looks   chan looked
	deeds   chan func(*topModel) // what became of a deed
	ends    chan os.Signal       // SIGHUP, SIGQUIT
	stops   chan os.Signal       // SIGTSTP
	resized chan os.Signal       // SIGWINCH
}

// looked is an answer to the question what programs use.
type looked struct {
	rows []statsView
	at   time.Time
	err  error
}

func look(ctx context.Context, c *control.Client) looked {
	r, err := c.Stats(ctx, &controlpb.StatsRequest{})
	l := looked{at: time.Now(), err: err}
	for _, s := range r.GetStats() {
		l.rows = append(l.rows, viewStats(s))
	}
	return l
}

// errQuit ends the loop as its user wishes.
var errQuit = errors.New("quit")

// run draws, until a key or a signal ends it.
func (t *topLoop) run(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	t.looks, t.deeds = make(chan looked), make(chan func(*topModel))
	defer t.notify()()
	release, err := t.listen()
	if err != nil {
		return err
	}
	defer release()
	t.screen.guarded(func() { t.lookAgain(ctx) })
	for err == nil {
		if err = t.draw(); err == nil {
			err = t.next(ctx)
		}
	}
	if err == errQuit {
		return nil
	}
	return err
}

// next waits for one thing to happen.
func (t *topLoop) next(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Canceled
	case s := <-t.ends:
		return &statusError{status: 128 + int(s.(syscall.Signal))}
	case <-t.resized:
	case <-t.stops:
		return t.screen.suspend()
	case l := <-t.looks:
		t.take(l)
	case done := <-t.deeds:
		done(t.model)
	case b, ok := <-t.keys:
		if !ok {
			return errors.New("cannot read the terminal any more")
		}
		return t.press(ctx, b)
	}
	return nil
}

// notify takes the signals that concern a terminal, until stop.
func (t *topLoop) notify() (stop func()) {
	t.ends, t.stops, t.resized = make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(t.ends, syscall.SIGHUP, syscall.SIGQUIT)
	signal.Notify(t.stops, syscall.SIGTSTP)
	signal.Notify(t.resized, syscall.SIGWINCH)
	return func() {
		for _, c := range []chan os.Signal{t.ends, t.stops, t.resized} {
			signal.Stop(c)
		}
	}
}

// listen begins to read keys. release ends that, and returns when it has.
func (t *topLoop) listen() (release func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot read the terminal: %w", err)
	}
	t.keys = make(chan []byte)
	t.screen.guarded(func() { t.screen.keys(r, t.keys) })
	return func() {
		w.Close() // makes r readable
		for range t.keys {
		}
		r.Close()
	}, nil
}

// lookAgain asks once an interval, whether the last answer came or failed.
func (t *topLoop) lookAgain(ctx context.Context) {
	tick := time.NewTicker(t.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case t.looks <- look(ctx, t.client):
		case <-ctx.Done():
			return
		}
	}
}

// take shows an answer, or why there is none: the next may come.
func (t *topLoop) take(l looked) {
	if l.err != nil {
		t.model.problem = l.err.Error()
		return
	}
	t.model.update(l.rows, l.at)
}

func (t *topLoop) draw() error {
	if err := t.screen.draw(t.model.lines(t.screen.size())); err != nil {
		return fmt.Errorf("cannot draw on the terminal: %w", err)
	}
	return nil
}

// press takes what was typed.
func (t *topLoop) press(ctx context.Context, b []byte) error {
	for _, k := range readKeys(b) {
		do, id := t.model.press(k)
		switch do {
		case deedNone:
		case deedQuit:
			return errQuit
		case deedSuspend:
			if err := t.screen.suspend(); err != nil {
				return err
			}
		default:
			t.screen.guarded(func() { t.perform(ctx, do, id) })
		}
	}
	return nil
}

// perform does a deed, and looks at once at what came of it.
func (t *topLoop) perform(ctx context.Context, do deed, id string) {
	var err error
	switch do {
	case deedKill:
		_, err = t.client.Kill(ctx, &controlpb.KillRequest{Id: id})
	case deedFreeze:
		err = freeze(ctx, t.client, id)
	case deedThaw:
		err = thaw(ctx, t.client, id)
	}
	l := look(ctx, t.client)
	select {
	case t.deeds <- func(m *topModel) { t.take(l); m.done(do, id, err) }:
	case <-ctx.Done():
	}
}
