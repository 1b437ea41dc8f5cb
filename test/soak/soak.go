package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
	"github.com/mpsupervisor/mpsupervisor/test/leftover"
)

// patience is how long a survivor may take to notice, and the kernel to take
// away what a dead process held.
const patience = 20 * time.Second

// soak is one run of kills.
type soak struct {
	out    io.Writer
	seed   uint64
	rng    *rand.Rand
	d      *daemon.Daemon
	digest string
	watch  *leftover.Watch
	killed map[victim]int
	mark   int  // how long the log was before the latest kill
	known  bool // whether the latest victim was a worker with its own program, so that its end must be told
}

// victim names whom a kill is for.
type victim string

const (
	theSupervisor victim = "supervisor"
	theLauncher   victim = "launcher"
	aWorker       victim = "worker"
)

func newSoak(seed uint64, out io.Writer) *soak {
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &soak{out: out, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), killed: map[victim]int{}}
}

// run kills n times, and leaves nothing behind itself.
func (s *soak) run(ctx context.Context, n int) (err error) {
	fmt.Fprintf(s.out, "%d kills, seed %d\n", n, s.seed)
	if s.watch, err = leftover.New(); err != nil {
		return err
	}
	for i := 1; i <= n; i++ {
		if err := s.round(ctx); err != nil {
			return errors.Join(fmt.Errorf("kill %d of %d (seed %d): %w", i, n, s.seed, err), s.down())
		}
		if i%50 == 0 || i == n {
			fmt.Fprintf(s.out, "%d of %d: %v\n", i, n, s.killed)
		}
	}
	if err := s.up(ctx); err != nil {
		return err
	}
	return errors.Join(s.down(), s.watch.Nothing(patience))
}

// round makes sure that a supervisor is up and clean, loads it, kills somebody
// at a random moment, and checks what the others do.
func (s *soak) round(ctx context.Context) error {
	if err := s.up(ctx); err != nil {
		return err
	}
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	loading := make(chan struct{})
	go func() {
		defer close(loading)
		load(loaded, s.d, s.digest)
	}()
	time.Sleep(time.Duration(s.rng.Int64N(int64(120 * time.Millisecond))))
	who, err := s.kill()
	stop()
	<-loading
	if err != nil {
		return err
	}
	s.killed[who]++
	d := s.d
	defer func() {
		if s.d != d {
			d.Close()
		}
	}()
	if err := s.aftermath(ctx, who); err != nil {
		return fmt.Errorf("after the end of a %s: %w\n%s", who, err, d.Log())
	}
	return nil
}

// up starts a supervisor if none is there. What earlier ones left must be gone
// then.
func (s *soak) up(ctx context.Context) error {
	if s.d != nil {
		return nil
	}
	d, err := daemon.Start()
	if err != nil {
		return fmt.Errorf("the next start fails: %w", err)
	}
	s.d = d
	if err := s.watch.Nothing(patience); err != nil {
		return fmt.Errorf("%w\n%s", err, d.Log())
	}
	s.digest, err = d.Put(ctx, filepath.Join(daemon.Root(), "examples", "unit-converter"))
	return err
}

// down stops the supervisor in an orderly way.
func (s *soak) down() error {
	if s.d == nil {
		return nil
	}
	s.remember()
	err := s.d.Stop()
	s.d = nil
	return err
}

// kill picks a victim among those who live and ends it.
func (s *soak) kill() (victim, error) {
	who := []victim{theSupervisor, theLauncher, aWorker}[s.rng.IntN(3)]
	s.remember()
	s.mark = len(s.d.Log())
	switch who {
	case theSupervisor:
		return who, syscall.Kill(s.d.Pid(), syscall.SIGKILL)
	case theLauncher:
		return who, syscall.Kill(int(s.d.Info.LauncherPid), syscall.SIGKILL)
	}
	workers := leftover.Children(int(s.d.Info.LauncherPid))
	if len(workers) == 0 {
		return theLauncher, syscall.Kill(int(s.d.Info.LauncherPid), syscall.SIGKILL)
	}
	w := workers[s.rng.IntN(len(workers))]
	s.known = w.Name == "mpworker" && w.Lives()
	if err := syscall.Kill(w.Pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return aWorker, err
	}
	return aWorker, nil
}

// remember notes the processes of the present supervisor.
func (s *soak) remember() { s.watch.Remember(s.d.Pid(), int(s.d.Info.LauncherPid)) }

// aftermath checks what the survivors do.
func (s *soak) aftermath(ctx context.Context, who victim) error {
	if who == aWorker {
		if s.known {
			if err := s.says("ended", "start_failed"); err != nil {
				return err
			}
		}
		return works(ctx, s.d, s.digest)
	}
	select {
	case <-s.d.Ended():
	case <-time.After(patience):
		return errors.New("the supervisor goes on")
	}
	defer func() { s.d = nil }()
	if who == theLauncher {
		return s.says("launcher")
	}
	return s.says("supervisor")
}

func question(id string) *controlpb.CallRequest {
	return &controlpb.CallRequest{Id: id, Name: "convert", InputJson: `{"value": "26.2", "from": "mi", "to": "km"}`}
}

// load starts, calls and ends programs until ctx ends. Its errors mean
// nothing: somebody is about to be killed.
func load(ctx context.Context, d *daemon.Daemon, digest string) {
	for ctx.Err() == nil {
		res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest})
		if err != nil {
			continue
		}
		d.Client.Call(ctx, question(res.Id))
		if rand.IntN(2) == 0 {
			d.Client.Kill(ctx, &controlpb.KillRequest{Id: res.Id})
		}
	}
}

// works checks that a supervisor still starts, calls and ends programs.
func works(ctx context.Context, d *daemon.Daemon, digest string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest})
	if err != nil {
		return err
	}
	call, err := d.Client.Call(ctx, question(res.Id))
	if err != nil {
		return err
	}
	if t := call.GetThrown(); t != nil {
		return fmt.Errorf("the program threw %s", t.Message)
	}
	programs, err := d.Client.List(ctx, &controlpb.ListRequest{})
	if err != nil {
		return err
	}
	for _, p := range programs.Programs {
		if _, err := d.Client.Kill(ctx, &controlpb.KillRequest{Id: p.Id}); err != nil {
			return err
		}
	}
	return nil
}

// says checks that a survivor wrote one of the words down since the kill.
func (s *soak) says(words ...string) error {
	deadline := time.Now().Add(patience)
	for {
		since := s.d.Log()[s.mark:]
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(since, w) }) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no survivor says %v", words)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
