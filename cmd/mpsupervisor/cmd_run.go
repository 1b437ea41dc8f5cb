package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
)

// runOptions are the flags and arguments of run.
type runOptions struct {
	dir     string
	args    []string // of the program; with native its name comes first
	call    string
	input   string
	config  string
	limits  limitFlags
	verbose bool
	learn   bool

	native  bool
	root    string
	tty     bool
	env     []string
	workdir string
}

func newRun(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run DIR [-- ARG...] | run --native --root DIR -- CMD [ARG...]",
		Short: "Run a mini-program from its directory",
		Long: `run packs the directory of a mini-program and runs it in a sealed worker, by the
daemon on the control socket. If no daemon answers there, it starts supervisor
and launcher in place, which needs root, and ends them when it is done. In place
it gives up root itself before the package is looked at.

With --call it calls one exported function, prints the JSON of its result on
standard output, and ends the program. Without, the program runs until it ends
itself, is killed, or Ctrl-C. Its console goes to standard error.

With --native --root it needs no package: DIR is the root directory of the
program CMD, which sees nothing else of this system. DIR is read-only to it; it
has a /tmp, /dev and /proc of its own. A native program, from a directory or
from a package whose manifest has the runtime "native", has this command's
standard input, output and error (without --call), and gets SIGINT, SIGTERM,
SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 in its place. A second SIGINT or SIGTERM
within two seconds ends it.

With --learn nothing that the program asks of the kernel is refused, while every
other lock stays on, and at the end standard error has what it asked for, and the
change of the manifest that would allow just that. Nothing is written.

Exit status:
  0      the call returned, or the program ended itself with code 0
  1      the call threw
  125    mpsupervisor failed
  126    the package or the program cannot be run
  127    no such directory, function or program
  128+n  signal n ended the program, or this command
  other  the code with which the program ended itself`,
		Example: `  sudo mpsupervisor run examples/loan-calculator --call payment \
      --input '{"principal": "250000", "rate": "4.2", "months": 360}'
  mpsupervisor run ./kiosk --memory 128M --cpus 0.5 --timeout 2s
  generate | mpsupervisor run ./report --call render --input - -o table
  mpsupervisor run --native --root ./busybox --tty -- /bin/sh
  tar c . | mpsupervisor run --native --root ./debian --memory 256M -- /usr/bin/xz -9 > out.xz
  mpsupervisor run --learn ./kiosk`,
		Args: func(cmd *cobra.Command, args []string) error { return o.take(cmd, args) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 || o.native {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.run(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.call, "call", "", "call this exported function and print its result")
	f.StringVar(&o.input, "input", "null", "the call's argument: JSON, @FILE, or - for standard input")
	f.BoolVar(&o.native, "native", false, "run a program out of a root directory, without a package")
	f.StringVar(&o.root, "root", "", "with --native: the program's root directory")
	f.BoolVarP(&o.tty, "tty", "t", false, "give a native program a terminal")
	f.StringArrayVarP(&o.env, "env", "e", nil, "set a variable of a native program: NAME=VALUE, or NAME to pass on this command's")
	f.StringVarP(&o.workdir, "workdir", "w", "", "where a native program begins, an absolute path in its root (default /)")
	o.limits.add(f)
	f.BoolVar(&o.learn, "learn", false, "record what the program does, and print the manifest that would allow just that")
	f.StringVar(&o.config, "config", "", "configuration file when running in place (default "+config.DefaultFile+" if it exists)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print on standard error what the program was sealed with")
	cobra.CheckErr(cmd.MarkFlagFilename("config", "toml"))
	cobra.CheckErr(cmd.MarkFlagDirname("root"))
	a.addFormat(cmd, formatJSON)
	return cmd
}

// take sorts the arguments: a directory, and after "--" those of its program;
// with --native only those.
func (o *runOptions) take(cmd *cobra.Command, args []string) error {
	if o.native {
		o.args = args
		return cobra.MinimumNArgs(1)(cmd, args)
	}
	own := args
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		own, o.args = args[:dash], args[dash:]
	}
	if err := cobra.ExactArgs(1)(cmd, own); err != nil {
		return err
	}
	o.dir = own[0]
	return nil
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
	case o.native && o.root == "":
		err = errors.New("--native needs the program's root directory: name it with --root")
	case o.root != "" && !o.native:
		err = errors.New("--root is for programs without a package: add --native")
	case o.native && o.call != "":
		err = errors.New("--call needs a package: a program that is run with --native is not called")
	case o.tty && o.call != "":
		err = errors.New("--call and --tty exclude each other: a program that is called has no standard input")
	case o.workdir != "" && !path.IsAbs(o.workdir):
		err = errors.New("--workdir must begin with /: it is a directory in the program's root")
	default:
		err = errors.Join(o.limits.check(f), o.checkEnv())
	}
	if err == nil {
		return nil
	}
	return &usageError{cmd: cmd, err: err}
}

// checkEnv completes the variables that are named only, and refuses what is
// none.
func (o *runOptions) checkEnv() error {
	kept := o.env[:0]
	for _, v := range o.env {
		name, _, given := strings.Cut(v, "=")
		if name == "" {
			return fmt.Errorf("--env %.40q has no name: it is NAME=VALUE, or NAME", v)
		}
		if !given {
			value, there := os.LookupEnv(name)
			if !there {
				continue
			}
			v = name + "=" + value
		}
		kept = append(kept, v)
	}
	o.env = kept
	return nil
}
