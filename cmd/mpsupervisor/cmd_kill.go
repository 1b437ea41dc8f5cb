package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newKill(a *app) *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:   "kill ID...",
		Short: "End programs",
		Long: `kill ends programs, and returns when nothing is left of them: no process, no
control group, no mount. A program in JavaScript gets the event unloaded before,
and has a second for its handlers; with --now it does not. It tries all that are
named, and fails if one failed.`,
		Example: `  mpsupervisor kill k3v
  mpsupervisor kill --now k3v
  mpsupervisor kill $(mpsupervisor ps -o json | jq -r '.[].id')`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.kill(cmd, ids, now)
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "do not tell the programs first")
	a.addFormat(cmd, formatTable)
	return cmd
}

type killView struct {
	ID   string    `json:"id"`
	Exit *exitView `json:"exit"`
}

func (a *app) kill(cmd *cobra.Command, prefixes []string, now bool) error {
	views := []killView{}
	var failed []error
	for _, prefix := range prefixes {
		v, err := a.killOne(cmd, prefix, now)
		if err != nil {
			failed = append(failed, fmt.Errorf("cannot kill: %w", err))
			continue
		}
		views = append(views, v)
	}
	return errors.Join(a.printKilled(views), errors.Join(failed...))
}

func (a *app) killOne(cmd *cobra.Command, prefix string, now bool) (killView, error) {
	c := a.client()
	defer c.Close()
	id, err := resolve(cmd.Context(), c, prefix)
	if err != nil {
		return killView{}, err
	}
	r, err := c.Kill(cmd.Context(), &controlpb.KillRequest{Id: id, Now: now})
	if err != nil {
		return killView{}, err
	}
	return killView{ID: id, Exit: viewExit(r.GetExit())}, nil
}

func (a *app) printKilled(views []killView) error {
	if a.format == formatJSON {
		return printJSON(a.out, views)
	}
	t := newTable(a.out)
	for _, v := range views {
		t.row(v.ID, v.Exit.text())
	}
	return t.flush()
}
