package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newPs(a *app) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List programs",
		Long:  "ps lists the programs that run, and with -a those that ended lately, too.",
		Example: `  mpsupervisor ps
  mpsupervisor ps -a -o json | jq -r '.[] | select(.state == "ended") | .exit.cause'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.ps(cmd, all) },
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "ended programs, too")
	a.addFormat(cmd, formatTable)
	return cmd
}

func (a *app) ps(cmd *cobra.Command, all bool) error {
	c := a.client()
	defer c.Close()
	list, err := c.List(cmd.Context(), &controlpb.ListRequest{All: all})
	if err != nil {
		return fmt.Errorf("cannot list programs: %w", err)
	}
	if a.format == formatJSON {
		views := make([]programView, 0, len(list.GetPrograms()))
		for _, p := range list.GetPrograms() {
			views = append(views, viewProgram(p))
		}
		return printJSON(a.out, views)
	}
	t := newTable(a.out)
	t.row("ID", "APP", "VERSION", "RUNTIME", "STATE", "AGE", "PID", "MEMORY", "CPU", "CALLS")
	for _, p := range list.GetPrograms() {
		t.row(p.GetId(), p.GetAppId(), p.GetVersion(), p.GetRuntime(), stateText(p), since(p.GetStarted()),
			pidText(p.GetPid()), bytesText(p.GetMemoryBytes()), fmt.Sprintf("%.2fs", seconds(p.GetCpu())), fmt.Sprint(p.GetCalls()))
	}
	return t.flush()
}

// stateText is the state, and for an ended program why.
func stateText(p *controlpb.Program) string {
	if e := viewExit(p.GetExit()); e != nil {
		return "ended: " + e.text()
	}
	if n := p.GetImageBytes(); n > 0 {
		return p.GetState() + ": " + bytesText(n)
	}
	return p.GetState()
}

func pidText(pid int32) string {
	if pid == 0 {
		return "-"
	}
	return fmt.Sprint(pid)
}
