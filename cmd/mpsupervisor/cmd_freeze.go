package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newFreeze(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "freeze ID...",
		Short: "Stop programs where they are, until thaw",
		Long: `freeze stops every process of a program where it is. The program keeps its memory
and uses no processor; calls to it are refused until thaw. It tries all that are
named, and fails if one failed. To freeze one that is frozen already is no error.`,
		Example: `  mpsupervisor freeze k3v
  mpsupervisor freeze $(mpsupervisor stats -o json | jq -r '.[] | select(.now.cpu > 0.9) | .program.id')`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.eachState(cmd, "freeze", "frozen", ids, freeze)
		},
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

func newThaw(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "thaw ID...",
		Short: "Let frozen programs go on",
		Long: `thaw lets programs go on that freeze, or a rule of the monitor, has stopped. It
tries all that are named, and fails if one failed. To thaw one that is not frozen
is no error.`,
		Example: `  mpsupervisor thaw k3v
  mpsupervisor thaw $(mpsupervisor ps -o json | jq -r '.[] | select(.state == "frozen") | .id')`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.eachState(cmd, "thaw", "running", ids, thaw)
		},
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

func freeze(ctx context.Context, c *control.Client, id string) error {
	_, err := c.Freeze(ctx, &controlpb.FreezeRequest{Id: id})
	return err
}

func thaw(ctx context.Context, c *control.Client, id string) error {
	_, err := c.Thaw(ctx, &controlpb.ThawRequest{Id: id})
	return err
}

type stateView struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// eachState does one thing to all programs that are named, and prints the
// state that those have now with which it could be done.
func (a *app) eachState(cmd *cobra.Command, verb, state string, prefixes []string, do func(context.Context, *control.Client, string) error) error {
	c := a.client()
	defer c.Close()
	views := []stateView{}
	var failed []error
	for _, prefix := range prefixes {
		id, err := resolve(cmd.Context(), c, prefix)
		if err == nil {
			err = do(cmd.Context(), c, id)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("cannot %s: %w", verb, err))
			continue
		}
		views = append(views, stateView{ID: id, State: state})
	}
	return errors.Join(a.printStates(views), errors.Join(failed...))
}

func (a *app) printStates(views []stateView) error {
	if a.format == formatJSON {
		return printJSON(a.out, views)
	}
	t := newTable(a.out)
	for _, v := range views {
		t.row(v.ID, v.State)
	}
	return t.flush()
}
