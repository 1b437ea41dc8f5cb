// Command soak kills supervisor, launcher and workers with SIGKILL at random
// moments, again and again, and checks after each that the survivors say what
// happened, that the next start works, and that nothing is left behind: no
// process, no control group, no mount.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	n := flag.Int("n", 1000, "how many kills")
	seed := flag.Uint64("seed", 0, "of the random moments and victims; 0 picks one and prints it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := newSoak(*seed, os.Stdout)
	if err := s.run(ctx, *n); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}
