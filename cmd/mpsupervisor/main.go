// Command mpsupervisor runs mini-programs in sealed workers: as a daemon
// (serve), in place (run), and as the operator's command line for both.
//
// Each command has a file of its own. A command gathers its arguments, calls
// the daemon through internal/control and prints; nothing is decided here.
// Whatever a mini-program wrote is escaped before it is printed.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := withSignals(context.Background())
	status := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
