package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
)

// socketVariable names the environment variable that replaces the default of
// --socket.
const socketVariable = "MPSUPERVISOR_SOCKET"

// app is what every command shares.
type app struct {
	socket   string
	format   format
	in       io.Reader
	out, err io.Writer
}

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: in, out: out, err: errs}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	return a.finish(ctx, err)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "mpsupervisor",
		Short: "Run small untrusted programs, each sealed in a worker of its own",
		Long: `mpsupervisor runs mini-programs: small applications that a stranger wrote, each
sealed in a worker process that can reach nothing but the supervisor.

"run" is enough to try one: it needs root, but no daemon and no configuration.
"serve" is the daemon; the other commands talk to it through its control socket.`,
		Example: `  sudo mpsupervisor run examples/loan-calculator --call payment \
      --input '{"principal": "250000", "rate": "4.2", "months": 360}'
  mpsupervisor ps
  mpsupervisor doctor`,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       cobra.NoArgs,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.PersistentFlags().StringVar(&a.socket, "socket", defaultSocket(),
		"control socket: a path, or @ and a name in the abstract namespace (default from $"+socketVariable+")")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newRun(a), newServe(a), newPs(a), newInspect(a), newCall(a), newLogs(a),
		newKill(a), newUpdate(a), newFreeze(a), newThaw(a), newHibernate(a), newResume(a),
		newShow(a), newHide(a), newStats(a), newTop(a), newQuarantine(a),
		newEvents(a), newDoctor(a), newProbe(a), newTypes(a), newVersion(a),
	)
	addDocs(root)
	usageErrors(root)
	return root
}

// usageErrors makes the argument checks of every command usage errors, which
// name the help to read.
func usageErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil {
				return nil
			}
			return &usageError{cmd: cmd, err: fmt.Errorf("%w%s", err, suggestion(cmd, args))}
		}
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

// suggestion names the commands that a wrong one resembles.
func suggestion(cmd *cobra.Command, args []string) string {
	if cmd.HasParent() || len(args) == 0 {
		return ""
	}
	near := cmd.SuggestionsFor(args[0])
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

func defaultSocket() string {
	if s := os.Getenv(socketVariable); s != "" {
		return s
	}
	return config.DefaultSocket
}

// client makes a client of the daemon; it connects at the first call.
func (a *app) client() *control.Client { return control.Dial(a.socket) }

// addFormat gives a command the flag -o, with what it prints by default.
func (a *app) addFormat(cmd *cobra.Command, byDefault format) {
	a.format = ""
	cmd.Flags().VarP(&formatFlag{value: &a.format, byDefault: byDefault}, "output", "o", "output format: json or table")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "table"}, cobra.ShellCompDirectiveNoFileComp)))
	prior := cmd.PreRunE
	cmd.PreRunE = func(c *cobra.Command, args []string) error {
		if a.format == "" {
			a.format = byDefault
		}
		if prior == nil {
			return nil
		}
		return prior(c, args)
	}
}
