package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// options are everything that a request cannot say.
type options struct {
	worker       string
	image        string
	runDir       string
	cgroupParent string
	uidBase      uint
	uidRange     uint
	maxWorkers   int
	maxMemory    int64
	learn        bool
	logLevel     slog.Level
}

// errShown says that what was asked for has been printed.
var errShown = errors.New("shown")

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("mplauncher", flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), "mplauncher is started by mpsupervisor. Its options are:\n")
		f.PrintDefaults()
	}
	version := f.Bool("version", false, "print the version and exit")
	f.StringVar(&o.worker, "worker", "", "the `file` mpworker")
	f.StringVar(&o.image, "image", "", "the `file` with the prelude's heap image; without it workers evaluate the prelude themselves")
	f.StringVar(&o.runDir, "run-dir", "/run/mpsupervisor", "the `directory` for state; it need not exist")
	f.StringVar(&o.cgroupParent, "cgroup-parent", "mpsupervisor", "the control group for workers: a `path` below this process's own group, or with a leading / from the top")
	f.UintVar(&o.uidBase, "uid-base", 1_900_000_000, "the first user `id` for workers")
	f.UintVar(&o.uidRange, "uid-range", 4096, "how many user ids each worker gets")
	f.IntVar(&o.maxWorkers, "max-workers", 1024, "how many workers can run at once")
	f.Int64Var(&o.maxMemory, "max-memory", mp.MaxMemory, "the most `bytes` that a worker can be given")
	f.BoolVar(&o.learn, "learn", false, "let workers be started whose system calls are recorded and not refused, within all other locks")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "the least `level` to log: debug, info, warn, error")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *version {
		fmt.Fprintln(os.Stdout, "mplauncher "+mp.Version)
		return o, errShown
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return o, o.check()
}

// check reports the first option that cannot be used.
func (o options) check() error {
	switch {
	case !filepath.IsAbs(o.worker):
		return fmt.Errorf("--worker: %q is not an absolute path", o.worker)
	case o.image != "" && !filepath.IsAbs(o.image):
		return fmt.Errorf("--image: %q is not an absolute path", o.image)
	case !filepath.IsAbs(o.runDir):
		return fmt.Errorf("--run-dir: %q is not an absolute path", o.runDir)
	case o.maxWorkers < 1 || o.maxWorkers > 1024:
		return fmt.Errorf("--max-workers: %d is not between 1 and 1024", o.maxWorkers)
	case o.maxMemory < mp.MinMemory || o.maxMemory > mp.MaxMemory:
		return fmt.Errorf("--max-memory: %d is not between %d and %d", o.maxMemory, mp.MinMemory, int64(mp.MaxMemory))
	case o.uidBase < 100_000 || o.uidBase > 1<<31 || o.uidRange < 2 || o.uidRange > 65536:
		return fmt.Errorf("--uid-base and --uid-range: %d from %d cannot be used", o.uidRange, o.uidBase)
	}
	return nil
}
