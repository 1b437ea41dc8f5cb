package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newUpdate(a *app) *cobra.Command {
	var l limitFlags
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change the limits of a running program",
		Long: `update changes limits of a program while it runs, and prints all that are in force
then. What no flag names stays as it is, and so do the limits that are handed to a
program when it starts: open files, call timeout, log rate and ipc rate. Nothing is
kept beyond the program's end: the configuration and the manifest say what the next
one gets.

With its memory a JavaScript program's heap is limited anew, from the next turn of
its event loop on; a frozen program's when it is thawed.

Less memory than a program uses is refused on a host with cgroup version 1 unless
the kernel can take enough back; with version 2 the kernel ends the program then. A
heap that is above its new limit stays, and ends the program when it asks for more.
A /tmp cannot be made smaller than what is in it.

While a rule of the monitor holds a program back, its new share of the processors
is held back, too.`,
		Example: `  mpsupervisor update k3v --memory 128M
  mpsupervisor update k3v --cpus 0.25 --pids 64
  mpsupervisor update k3v --memory-soft 48M -o json | jq .limits`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1),
		PreRunE:           func(cmd *cobra.Command, _ []string) error { return checkUpdate(cmd, &l) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.update(cmd, args[0], l.asked(cmd.Flags()))
		},
	}
	l.addLive(cmd.Flags())
	a.addFormat(cmd, formatTable)
	return cmd
}

func checkUpdate(cmd *cobra.Command, l *limitFlags) error {
	f := cmd.Flags()
	err := l.check(f)
	if err == nil && !anyLimit(f) {
		err = errors.New("no limit to change is named: give one or more, such as --memory 128M")
	}
	if err != nil {
		return &usageError{cmd: cmd, err: err}
	}
	return nil
}

// anyLimit reports whether a flag was given that sets a limit.
func anyLimit(given *pflag.FlagSet) (any bool) {
	var l limitFlags
	limits := pflag.NewFlagSet("", pflag.ContinueOnError)
	l.addLive(limits)
	limits.VisitAll(func(f *pflag.Flag) { any = any || given.Changed(f.Name) })
	return any
}

type updateView struct {
	ID     string     `json:"id"`
	Limits limitsView `json:"limits"`
}

func (a *app) update(cmd *cobra.Command, prefix string, limits *controlpb.Limits) error {
	c := a.client()
	defer c.Close()
	id, err := resolve(cmd.Context(), c, prefix)
	if err != nil {
		return fmt.Errorf("cannot update: %w", err)
	}
	r, err := c.Update(cmd.Context(), &controlpb.UpdateRequest{Id: id, Limits: limits})
	if err != nil {
		return fmt.Errorf("cannot update %s: %w", id, err)
	}
	v := updateView{ID: id, Limits: viewLimits(r.GetLimits())}
	if a.format == formatJSON {
		return printJSON(a.out, v)
	}
	t := newTable(a.out)
	for _, row := range v.Limits.rows(true) {
		t.row(row.name, row.value)
	}
	return t.flush()
}
