package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// resolve finds the one program whose ID begins with prefix. A running program
// is preferred to those that have ended.
func resolve(ctx context.Context, c *control.Client, prefix string) (string, error) {
	if !mp.InstanceID(prefix).Valid() {
		return "", fmt.Errorf("program %.40q: %w: IDs are letters and digits; see mpsupervisor ps -a", prefix, mp.ErrNotFound)
	}
	list, err := c.List(ctx, &controlpb.ListRequest{All: true})
	if err != nil {
		return "", err
	}
	var running, ended []string
	for _, p := range list.GetPrograms() {
		switch {
		case p.GetId() == prefix:
			return prefix, nil
		case !strings.HasPrefix(p.GetId(), prefix):
		case p.GetState() == "ended":
			ended = append(ended, p.GetId())
		default:
			running = append(running, p.GetId())
		}
	}
	return only(prefix, running, ended)
}

// only returns the single ID of the first group that is not empty.
func only(prefix string, groups ...[]string) (string, error) {
	for _, ids := range groups {
		switch len(ids) {
		case 0:
		case 1:
			return ids[0], nil
		default:
			return "", fmt.Errorf("program %s: ambiguous: %s begin with it; give more letters", prefix, joinIDs(ids))
		}
	}
	return "", fmt.Errorf("program %s: %w; see mpsupervisor ps -a", prefix, mp.ErrNotFound)
}

// completeIDs offers the IDs of programs to the shell; all includes those that
// have ended. It completes the first max arguments.
func completeIDs(a *app, all bool, max int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= max {
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		c := a.client()
		defer c.Close()
		list, err := c.List(ctx, &controlpb.ListRequest{All: all})
		if err != nil {
			return nil, directive
		}
		var ids []cobra.Completion
		for _, p := range list.GetPrograms() {
			ids = append(ids, cobra.CompletionWithDesc(p.GetId(), printable(p.GetName(), false)))
		}
		return ids, directive
	}
}

// completeExports offers the exported functions of a program.
func completeExports(a *app, cmd *cobra.Command, id string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeOf(a, cmd, id, (*controlpb.InspectResponse).GetExports)
}

// completePages offers the pages of the first program in ids, if there is one.
func completePages(a *app, cmd *cobra.Command, ids []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(ids) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeOf(a, cmd, ids[0], (*controlpb.InspectResponse).GetPages)
}

// completeOf offers names that inspect tells of a program.
func completeOf(a *app, cmd *cobra.Command, id string, names func(*controlpb.InspectResponse) []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	c := a.client()
	defer c.Close()
	full, err := resolve(ctx, c, id)
	if err != nil {
		return nil, directive
	}
	r, err := c.Inspect(ctx, &controlpb.InspectRequest{Id: full})
	if err != nil {
		return nil, directive
	}
	var all []cobra.Completion
	for _, name := range names(r) {
		all = append(all, printable(name, false))
	}
	return all, directive
}
