// Command bench measures what mpsupervisor costs beside its peers, prints a
// table and writes bench.json.
//
// Both sides of a figure are measured in one run, in an order shuffled anew in
// each round: ratios count, absolute times are this machine's. It needs root,
// the built programs, and the peers (`make bench` installs them).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/mpsupervisor/mpsupervisor/ipc/ipctest"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

func main() {
	if kind := os.Getenv(echoVariable); kind != "" {
		os.Exit(echo(ipctest.Arm(kind)))
	}
	out := flag.String("o", "bench.json", "where to write the figures")
	rounds := flag.Int("rounds", 40, "rounds of each start")
	only := flag.String("only", "", "the one part to measure; all of them if it is not said")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *out, *only, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench runs every part and reports what was measured. A target that is missed
// is said in the table; it is not a failure of the measuring.
func bench(ctx context.Context, out, only string, rounds int) error {
	d, err := daemon.Start("[log]", `level = "warn"`)
	if err != nil {
		return err
	}
	defer d.Stop()
	var rows []Row
	for _, part := range []struct {
		name    string
		measure func() ([]Row, error)
	}{
		{"cold start", func() ([]Row, error) { return coldStart(ctx, d, rounds) }},
		{"native programs", func() ([]Row, error) { return nativeStart(ctx, d, rounds) }},
		{"channel", func() ([]Row, error) { return roundTrips(ctx, 10*rounds) }},
		{"host calls", func() ([]Row, error) { return hostCalls(ctx, d, 10*rounds) }},
		{"records", func() ([]Row, error) { return throughput(ctx, rounds) }},
		{"memory", func() ([]Row, error) { return idleMemory(ctx, d, 3) }},
		{"images", func() ([]Row, error) { return images(ctx, d, 10*rounds) }},
		{"JavaScript", func() ([]Row, error) { return workloads(ctx, d, 20) }},
		{"WebAssembly", func() ([]Row, error) { return webAssembly(ctx, d, 20) }},
	} {
		if only != "" && only != part.name {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", part.name)
		more, err := part.measure()
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		rows = append(rows, more...)
	}
	table(os.Stdout, rows)
	return save(out, rows)
}
