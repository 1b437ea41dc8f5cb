// Command hostile runs programs that attack the machine they run on, beside a
// neighbour that minds its own business, and checks that supervisor, launcher
// and neighbour are as well afterwards as before.
//
// It has two parts. First each kind of attack by itself, while the neighbour's
// calls are timed: their 99th percentile should be at most three times what it is
// when nobody attacks. Then many attackers of all kinds at once, that are ended and
// started again, for as long as asked: the supervisor and the launcher must
// live, must not grow, and must leave nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
	"github.com/mpsupervisor/mpsupervisor/test/leftover"
)

// patience is how long the end of everything may take.
const patience = 20 * time.Second

func main() {
	var o options
	flag.DurationVar(&o.long, "for", 10*time.Minute, "how long all attackers run together")
	flag.IntVar(&o.programs, "programs", 24, "how many attackers")
	flag.DurationVar(&o.each, "each", 4*time.Second, "how long the neighbour is timed beside each kind of attack; 0 leaves that part out")
	only := flag.String("kinds", strings.Join(kinds, ","), "which attacks")
	flag.Parse()
	kinds = strings.Split(*only, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

type options struct {
	long, each time.Duration
	programs   int
}

// site is where it all happens.
type site struct {
	d    *daemon.Daemon
	root *os.File // the attackers' root directory
	near string   // the neighbour's ID
}

func run(ctx context.Context, o options) (err error) {
	watch, err := leftover.New()
	if err != nil {
		return err
	}
	s, cleanup, err := newSite(ctx)
	if err != nil {
		return err
	}
	defer cleanup()
	err = errors.Join(s.oneByOne(ctx, o.each), s.allTogether(ctx, o.programs, o.long))
	watch.Remember(s.d.Pid(), int(s.d.Info.LauncherPid))
	log := s.d.Log()
	err = errors.Join(err, s.d.Stop(), watch.Nothing(patience))
	if err != nil {
		fmt.Fprintln(os.Stderr, tail(log, 8<<10))
	}
	return err
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// newSite builds the attacker, and starts a supervisor and the neighbour.
func newSite(ctx context.Context) (_ *site, cleanup func(), err error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-hostile-")
	if err != nil {
		return nil, nil, err
	}
	cleanup = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			cleanup()
		}
	}()
	root := filepath.Join(dir, "root")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", filepath.Join(root, "bin", "bomb"), "./test/hostile/bomb")
	build.Dir = daemon.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("cannot build the attacker: %w\n%s", err, out)
	}
	s := &site{}
	if s.root, err = os.Open(root); err != nil {
		return nil, nil, err
	}
	// Attackers are to attack for as long as they can: the monitor only looks.
	if s.d, err = daemon.Start("[monitor]", "enabled = false"); err != nil {
		return nil, nil, err
	}
	s.near, err = s.d.Run(ctx, filepath.Join(daemon.Root(), "examples", "unit-converter"), nil)
	return s, cleanup, err
}

// attack starts one attacker and gives its ID.
func (s *site) attack(ctx context.Context, kind string) (string, error) {
	const memory, pids, tmp = 32 << 20, 24, 8 << 20
	l := &controlpb.Limits{MemoryBytes: ptr[int64](memory), Pids: ptr[int64](pids), TmpBytes: ptr[int64](tmp)}
	res, err := s.d.Client.StartFiles(ctx, &controlpb.StartRequest{
		Limits: l,
		Native: &controlpb.Native{Root: true, Args: []string{"/bin/bomb", kind}, Name: "bomb-" + kind},
	}, s.root)
	if err != nil {
		return "", fmt.Errorf("cannot start attack %q: %w", kind, err)
	}
	return res.Id, nil
}

func ptr[T any](v T) *T { return &v }

// end ends an attacker, which may have ended by itself.
func (s *site) end(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := s.d.Client.Kill(ctx, &controlpb.KillRequest{Id: id})
	return err
}
