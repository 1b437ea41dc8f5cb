package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newShow(a *app) *cobra.Command {
	var page string
	cmd := &cobra.Command{
		Use:   "show ID...",
		Short: "Tell programs that they can be seen",
		Long: `show tells programs that they can be seen now: each gets the event shown, and with
--page its page gets the events loaded and ready the first time, and shown. It
returns when the programs' handlers have done. It tries all that are named, and
fails if one failed. To show what is shown already is no error.`,
		Example: `  mpsupervisor show k3v
  mpsupervisor show k3v --page pages/index`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.eachState(cmd, "show", "shown", ids, func(ctx context.Context, c *control.Client, id string) error {
				_, err := c.Show(ctx, &controlpb.ShowRequest{Id: id, Page: page})
				return err
			})
		},
	}
	a.addPage(cmd, &page, "the `PAGE` to show, one of the manifest's")
	return cmd
}

func newHide(a *app) *cobra.Command {
	var page string
	cmd := &cobra.Command{
		Use:   "hide ID...",
		Short: "Tell programs that they cannot be seen any more",
		Long: `hide tells programs that they cannot be seen any more: the page that is shown gets
the event hidden, and then the program. With --page that page alone does. It
returns when the programs' handlers have done. It tries all that are named, and
fails if one failed. To hide what is hidden already is no error.`,
		Example: `  mpsupervisor hide k3v
  mpsupervisor hide k3v --page pages/index`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.eachState(cmd, "hide", "hidden", ids, func(ctx context.Context, c *control.Client, id string) error {
				_, err := c.Hide(ctx, &controlpb.HideRequest{Id: id, Page: page})
				return err
			})
		},
	}
	a.addPage(cmd, &page, "the `PAGE` to hide, and not the whole program")
	return cmd
}

func (a *app) addPage(cmd *cobra.Command, page *string, usage string) {
	cmd.Flags().StringVar(page, "page", "", usage)
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("page", func(cmd *cobra.Command, ids []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completePages(a, cmd, ids)
	}))
	a.addFormat(cmd, formatTable)
}

// visibility is what the program was told, for people.
func (p programView) visibility() string {
	switch {
	case !p.Visible:
		return "no"
	case p.Page == "":
		return "yes"
	}
	return "yes, " + p.Page
}
