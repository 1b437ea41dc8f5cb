package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// insistence is how soon after the first a second SIGINT or SIGTERM must come to
// end a program that does not end itself.
const insistence = 2 * time.Second

// forwarded are the signals that a native program gets in place of this command.
var forwarded = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}

// signals decides what a signal to this command means. Until a program is there
// to get it, SIGINT and SIGTERM end the command's context, and a second one the
// process, as everywhere else.
type signals struct {
	cancel context.CancelCauseFunc
	come   chan os.Signal
	target chan func(syscall.Signal) // gets the program's way to take them
	now    func() time.Time
}

// catchSignals takes the signals over from whoever ends parent at one.
func catchSignals(parent context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	s := &signals{cancel: cancel, come: make(chan os.Signal, 8), target: make(chan func(syscall.Signal), 1), now: time.Now}
	signal.Notify(s.come, syscall.SIGINT, syscall.SIGTERM)
	if cause := context.Cause(parent); cause != nil {
		cancel(cause) // one came just before
	}
	go s.run()
	return ctx, s
}

// forward has the signals go to a program from now on.
func (s *signals) forward(send func(syscall.Signal)) {
	signal.Notify(s.come, forwarded...)
	s.target <- send
}

// stop gives the signals back.
func (s *signals) stop() {
	signal.Stop(s.come)
	close(s.come)
	s.cancel(nil)
}

func (s *signals) run() {
	var send func(syscall.Signal)
	var last time.Time
	for {
		select {
		case send = <-s.target:
		case come, ok := <-s.come:
			if !ok {
				return
			}
			sig := come.(syscall.Signal)
			if send == nil || s.insists(sig, &last) {
				signal.Reset(syscall.SIGINT, syscall.SIGTERM)
				s.cancel(signalled{sig})
				continue
			}
			send(sig)
		}
	}
}

// insists reports whether sig is the second of its kind in a short time.
func (s *signals) insists(sig syscall.Signal, last *time.Time) bool {
	if sig != syscall.SIGINT && sig != syscall.SIGTERM {
		return false
	}
	before := *last
	*last = s.now()
	return !before.IsZero() && last.Sub(before) < insistence
}

// signalTo sends signals to p, in their order, without waiting for one to
// arrive. What does not arrive does so because the program has ended, or else is
// told to lost.
func (p *program) signalTo(ctx context.Context, lost func(error)) func(syscall.Signal) {
	queue := make(chan syscall.Signal, 16)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-queue:
				if err := p.signal(ctx, sig); err != nil && !errors.Is(err, mp.ErrEnded) && ctx.Err() == nil {
					lost(fmt.Errorf("cannot pass on %s: %w", unix.SignalName(sig), err))
				}
			}
		}
	}()
	return func(sig syscall.Signal) {
		select {
		case queue <- sig:
		default: // sixteen are on their way
		}
	}
}

func (p *program) signal(ctx context.Context, sig syscall.Signal) error {
	_, err := p.client.Signal(ctx, &controlpb.SignalRequest{Id: p.id, Number: int32(sig)})
	return err
}
