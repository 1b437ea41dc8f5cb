package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const (
	longest = 20 * time.Second // that one attacker goes on, before another takes its place
	settle  = 5 * time.Second  // for memory to be given back when all has ended
)

// keepAttacking keeps one attacker of a kind going until ctx ends.
func (s *site) keepAttacking(ctx context.Context, kind string, atMost time.Duration) error {
	for ctx.Err() == nil {
		id, err := s.attack(ctx, kind)
		switch {
		case ctx.Err() != nil:
			return s.forget(id)
		case err != nil:
			return err
		}
		wait, cancel := context.WithTimeout(ctx, atMost)
		s.d.Client.Wait(wait, &controlpb.WaitRequest{Id: id})
		cancel()
		if err := s.forget(id); err != nil {
			return err
		}
	}
	return nil
}

// forget ends an attacker. One that is not known, or has ended, is no error.
func (s *site) forget(id string) error {
	if id == "" {
		return nil
	}
	if err := s.end(id); err != nil && !errors.Is(err, mp.ErrEnded) && !errors.Is(err, mp.ErrNotFound) {
		return fmt.Errorf("cannot end an attacker: %w", err)
	}
	return nil
}

// allTogether lets all kinds attack at once: first for a tenth of the time,
// after which supervisor and launcher have what they will ever need, then for
// the rest, after which they must not have more.
func (s *site) allTogether(ctx context.Context, programs int, long time.Duration) error {
	if long <= 0 {
		return nil
	}
	if err := s.storm(ctx, programs, long/10); err != nil {
		return err
	}
	before, err := s.weigh(ctx)
	if err != nil {
		return err
	}
	if err := s.storm(ctx, programs, long-long/10); err != nil {
		return err
	}
	after, err := s.weigh(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("before: %v\nafter:  %v\n", before, after)
	return after.growth(before)
}

// storm runs the attackers for a time, and asks supervisor and neighbour all
// the while.
func (s *site) storm(ctx context.Context, programs int, long time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	var attackers sync.WaitGroup
	var started atomic.Int64
	errs := make(chan error, programs)
	for range programs {
		attackers.Go(func() {
			for ctx.Err() == nil {
				started.Add(1)
				one, stop := context.WithTimeout(ctx, time.Duration(rand.Int64N(int64(longest))))
				err := s.keepAttacking(one, kinds[rand.IntN(len(kinds))], longest)
				stop()
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					errs <- err
					return
				}
			}
		})
	}
	err := s.lookAfter(ctx, errs)
	cancel()
	attackers.Wait()
	fmt.Printf("%d attackers for %v: %d attacks\n", programs, long, started.Load())
	return err
}

// lookAfter asks supervisor and neighbour every second. Both must answer.
func (s *site) lookAfter(ctx context.Context, attackers <-chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case err := <-attackers:
			return err
		case <-s.d.Ended():
			return errors.New("the supervisor has ended")
		case <-tick.C:
		}
		if err := s.well(); err != nil {
			return err
		}
		if n%60 == 0 {
			fmt.Printf("%d minutes: the supervisor and the neighbour are well\n", n/60)
		}
	}
}

// well asks both, and gives them time under the load that there is.
func (s *site) well() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := s.d.Client.List(ctx, &controlpb.ListRequest{}); err != nil {
		return fmt.Errorf("the supervisor does not answer: %w", err)
	}
	if err := s.ask(ctx); err != nil && !errors.Is(err, control.ErrBusy) {
		return fmt.Errorf("the neighbour: %w", err)
	}
	return nil
}

// weight is what supervisor and launcher hold.
type weight struct {
	memory [2]int // KiB of resident memory
	files  [2]int // descriptors
}

func (w weight) String() string {
	return fmt.Sprintf("supervisor %d KiB, %d descriptors; launcher %d KiB, %d descriptors",
		w.memory[0], w.files[0], w.memory[1], w.files[1])
}

// mayGrow is what memory may differ by between two weighings, in KiB: Go's
// heap is given back in its own time.
const mayGrow = 16 << 10

// weigh looks at both when only the neighbour runs.
func (s *site) weigh(ctx context.Context) (w weight, err error) {
	list, err := s.d.Client.List(ctx, &controlpb.ListRequest{})
	if err != nil {
		return w, err
	}
	if n := len(list.Programs); n != 1 {
		return w, fmt.Errorf("%d programs are left, not the neighbour alone", n)
	}
	time.Sleep(settle)
	for i, pid := range []int{s.d.Pid(), int(s.d.Info.LauncherPid)} {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			return w, err
		}
		w.files[i] = len(entries)
		if w.memory[i], err = resident(pid); err != nil {
			return w, err
		}
	}
	return w, nil
}

// resident reads VmRSS from proc_pid_status(5), in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
	}
	return strconv.Atoi(fields[0])
}

// growth reports what grew.
func (w weight) growth(before weight) error {
	var errs []error
	for i, name := range []string{"supervisor", "launcher"} {
		if w.memory[i] > before.memory[i]+mayGrow {
			errs = append(errs, fmt.Errorf("the %s's memory grew from %d to %d KiB", name, before.memory[i], w.memory[i]))
		}
		if w.files[i] > before.files[i] {
			errs = append(errs, fmt.Errorf("the %s has %d descriptors open, %d before", name, w.files[i], before.files[i]))
		}
	}
	return errors.Join(errs...)
}
