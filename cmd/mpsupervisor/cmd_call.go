package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func newCall(a *app) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "call ID NAME [JSON|@FILE|-]",
		Short: "Call an exported function of a running program",
		Long: `call runs a function that the program's entry module exports, with one JSON
value as its argument, and prints the JSON of its result. "-" reads the argument
from standard input, @FILE from a file; without one it is null.

The exit status is 1 if the function threw, 127 if there is no such function or
program.`,
		Example: `  mpsupervisor call k3v payment '{"principal": "250000", "rate": "4.2", "months": 360}'
  mpsupervisor call k3v schedule @loan.json -o table
  echo '{"value": 3}' | mpsupervisor call k3v convert -`,
		Args: cobra.RangeArgs(2, 3),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, part string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return completeExports(a, cmd, args[0])
			}
			return completeIDs(a, false, 1)(cmd, args, part)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			input := "null"
			if len(args) == 3 {
				input = args[2]
			}
			return a.callCommand(cmd, args[0], args[1], input, timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this long, if the program's own limit is not shorter")
	a.addFormat(cmd, formatJSON)
	return cmd
}

func (a *app) callCommand(cmd *cobra.Command, prefix, name, input string, timeout time.Duration) error {
	raw, err := a.readInput(input)
	if err != nil {
		return err
	}
	if err := checkInput(raw); err != nil {
		return err
	}
	c := a.client()
	defer c.Close()
	id, err := resolve(cmd.Context(), c, prefix)
	if err != nil {
		return fmt.Errorf("cannot call %s: %w", name, err)
	}
	req := &controlpb.CallRequest{Id: id, Name: name, InputJson: string(raw)}
	if timeout > 0 {
		req.Timeout = durationpb.New(timeout)
	}
	err = a.call(cmd.Context(), c, req)
	if errors.Is(err, mp.ErrNotFound) {
		if r, inspectErr := c.Inspect(cmd.Context(), &controlpb.InspectRequest{Id: id}); inspectErr == nil {
			err = fmt.Errorf("%w%s", err, exportsHint(name, r.GetExports()))
		}
	}
	return err
}

// call calls, and prints the result or returns what was thrown.
func (a *app) call(ctx context.Context, c *control.Client, req *controlpb.CallRequest) error {
	r, err := c.Call(ctx, req)
	if err != nil {
		return fmt.Errorf("cannot call %s: %w", req.GetName(), err)
	}
	if t := r.GetThrown(); t != nil {
		guest := &mp.GuestError{Name: t.GetName(), Message: t.GetMessage(), Stack: t.GetStack()}
		return &statusError{status: mp.StatusThrew, err: fmt.Errorf("%s threw %w", req.GetName(), guest)}
	}
	return a.printResult([]byte(r.GetOutputJson()))
}
