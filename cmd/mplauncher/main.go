// Mplauncher is the privileged half of mpsupervisor: it makes workers and takes
// them away again. It is started by mpsupervisor, as root, with one end of a
// socket as descriptor 3, and ends when the other end is closed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"github.com/sirupsen/logrus"
)

func main() {
	opts, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) || errors.Is(err, errShown) {
		return
	}
	if err == nil {
		err = enter(opts.logLevel)
	}
	if err == nil {
		err = run(opts)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "mplauncher: %v\n", err)
		os.Exit(1)
	}
}

// enter moves this process to where workers are started from.
func enter(level slog.Level) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("must be root: making namespaces and control groups takes it (this is user %d)", os.Geteuid())
	}
	if err := stage.Enter(); err != nil {
		return err
	}
	runtime.GOMAXPROCS(runtime.NumCPU()) // stage.Enter left one
	debug.SetGCPercent(50)               // it is small, and stays so
	logrus.SetLevel(logrus.ErrorLevel)   // libcontainer's
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})).With("program", "mplauncher"))
	return nil
}
