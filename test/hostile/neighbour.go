package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// kinds are the attacks that are made: at first all that the bomb knows.
var kinds = []string{"cpu", "fork", "memory", "tmp", "inode", "fd", "log", "dentry", "refused", "host", "signal"}

// worst is how many times its quiet 99th percentile a neighbour's calls may
// take beside an attack.
const worst = 3.0

// rate is how many calls a second the neighbour gets, at intended times: a call
// that comes late because the one before it took long counts from when it
// should have been made.
const rate = 200

// floor is the least quiet 99th percentile that ratios are taken of: below it
// one missed tick of the scheduler would be three times as much.
const floor = time.Millisecond

// oneByOne times the neighbour quiet and beside each kind of attack, by turns,
// so that whatever else the machine does meets both. A target that is missed is
// said in the table: times are this machine's, and no failure.
func (s *site) oneByOne(ctx context.Context, each time.Duration) error {
	if each <= 0 {
		return nil
	}
	if _, err := s.time(ctx, each/4); err != nil { // warm
		return err
	}
	fmt.Printf("%-8s %9s %9s %9s %9s %6s\n", "ATTACK", "QUIET p50", "p99", "BESIDE", "p99", "RATIO")
	for _, kind := range kinds {
		quiet, err := s.time(ctx, each)
		if err != nil {
			return err
		}
		beside, err := s.beside(ctx, kind, each)
		if err != nil {
			return fmt.Errorf("beside attack %q: %w", kind, err)
		}
		ratio := float64(beside.p99) / float64(max(quiet.p99, floor))
		verdict := "holds"
		if ratio > worst {
			verdict = "MISSED"
		}
		fmt.Printf("%-8s %9s %9s %9s %9s %6.2f  ≤ %g %s\n", kind, round(quiet.p50), round(quiet.p99), round(beside.p50), round(beside.p99), ratio, worst, verdict)
	}
	return nil
}

// beside times the neighbour while an attack goes on. An attacker that ends is
// started again.
func (s *site) beside(ctx context.Context, kind string, each time.Duration) (timing, error) {
	ctx, stop := context.WithCancel(ctx)
	attacked := make(chan error, 1)
	go func() { attacked <- s.keepAttacking(ctx, kind, 2*each) }()
	time.Sleep(500 * time.Millisecond) // until the attack is under way
	t, err := s.time(ctx, each)
	stop()
	return t, errors.Join(err, <-attacked)
}

// timing are the percentiles of a neighbour's calls.
type timing struct{ p50, p99 time.Duration }

func round(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// time calls the neighbour at a steady rate. Each call must be answered rightly.
func (s *site) time(ctx context.Context, each time.Duration) (timing, error) {
	var took []time.Duration
	begin := time.Now()
	for i := 0; ; i++ {
		due := begin.Add(time.Duration(i) * time.Second / rate)
		if due.Sub(begin) > each {
			break
		}
		time.Sleep(time.Until(due))
		if err := s.ask(ctx); err != nil {
			return timing{}, fmt.Errorf("the neighbour: %w", err)
		}
		took = append(took, time.Since(due))
	}
	slices.Sort(took)
	return timing{took[len(took)/2], took[len(took)*99/100]}, nil
}

// ask calls the neighbour once.
func (s *site) ask(ctx context.Context) error {
	res, err := s.d.Client.Call(ctx, &controlpb.CallRequest{
		Id: s.near, Name: "convert", InputJson: `{"value": "26.2", "from": "mi", "to": "km"}`,
	})
	switch {
	case err != nil:
		return err
	case res.GetOutputJson() == "":
		return fmt.Errorf("it answered %v", res)
	}
	return nil
}
