// Mpworker runs one mini-program in a process of its own. The launcher starts
// it, sealed in; a person has three uses for it:
//
//	mpworker image FILE   writes the engine's heap image to FILE
//	mpworker check FILE   fails if FILE is not a sound heap image for this program
//	mpworker version      prints its version, the protocol's, and the build ID
package main

import (
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/worker"
)

func main() {
	if role, ok := worker.ParseRole(os.Args[1:]); ok {
		os.Exit(worker.Main(role))
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mpworker:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case args[0] == "image" && len(args) == 2:
		return worker.WriteImage(args[1])
	case args[0] == "check" && len(args) == 2:
		return worker.CheckImage(args[1])
	case args[0] == "version" && len(args) == 1:
		return worker.PrintVersion(os.Stdout)
	}
	return fmt.Errorf("usage: mpworker image FILE, mpworker check FILE, or mpworker version; what runs programs is started by mplauncher alone")
}
