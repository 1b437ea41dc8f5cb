package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
)

// runOptions are the flags of run.
type runOptions struct {
	dir     string
	call    string
	input   string
	config  string
	limits  limitFlags
	verbose bool
}

func newRun(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run DIR",
		Short: "Run a mini-program from its directory",
		Long: `run packs the directory of a mini-program and runs it in a sealed worker, by the
daemon on the control socket. If no daemon answers there, it starts supervisor
and launcher in place, which needs root, and ends them when it is done. In place
it gives up root itself before the package is looked at.

With --call it calls one exported function, prints the JSON of its result on
standard output, and ends the program. Without, the program runs until it ends
itself, is killed, or Ctrl-C. Its console goes to standard error.

Exit status:
  0      the call returned, or the program ended itself with code 0
  1      the call threw
  125    mpsupervisor failed
  126    the package cannot be run
  127    no such directory or function
  128+n  signal n ended the program, or this command
  other  the code with which the program ended itself`,
		Example: `  sudo mpsupervisor run examples/loan-calculator --call payment \
      --input '{"principal": "250000", "rate": "4.2", "months": 360}'
  mpsupervisor run ./kiosk --memory 128M --cpus 0.5 --timeout 2s
  generate | mpsupervisor run ./report --call render --input - -o table`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return a.run(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.call, "call", "", "call this exported function and print its result")
	f.StringVar(&o.input, "input", "null", "the call's argument: JSON, @FILE, or - for standard input")
	o.limits.add(f)
	f.StringVar(&o.config, "config", "", "configuration file when running in place (default "+config.DefaultFile+" if it exists)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print on standard error what the program was sealed with")
	cobra.CheckErr(cmd.MarkFlagFilename("config", "toml"))
	a.addFormat(cmd, formatJSON)
	return cmd
}

// check refuses flags that contradict each other or cannot be meant.
func (o *runOptions) check(cmd *cobra.Command) error {
	f := cmd.Flags()
	var err error
	switch {
	case f.Changed("input") && o.call == "":
		err = errors.New("--input is the argument of a call: say which with --call")
	case f.Changed("call") && o.call == "":
		err = errors.New("--call needs the name of an exported function")
	default:
		err = o.limits.check(f)
	}
	if err == nil {
		return nil
	}
	return &usageError{cmd: cmd, err: err}
}
