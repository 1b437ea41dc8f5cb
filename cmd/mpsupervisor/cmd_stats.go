package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newStats(a *app) *cobra.Command {
	var history bool
	cmd := &cobra.Command{
		Use:   "stats [ID]",
		Short: "Print once what programs use",
		Long: `stats prints what programs use: their latest sample, which the monitor takes every
second ([monitor] in the configuration). Rates are for a second, cpu is in
processors. With --history it prints all samples that are kept, oldest first.

A program that started just now has no sample yet.`,
		Example: `  mpsupervisor stats
  mpsupervisor stats k3v --history
  mpsupervisor stats -o json | jq -r '.[] | [.program.app_id, .now.cpu, .now.memory_bytes] | @tsv'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.stats(cmd, args, history) },
	}
	cmd.Flags().BoolVar(&history, "history", false, "all samples that are kept")
	a.addFormat(cmd, formatTable)
	return cmd
}

func (a *app) stats(cmd *cobra.Command, args []string, history bool) error {
	c := a.client()
	defer c.Close()
	req := &controlpb.StatsRequest{History: history}
	if len(args) > 0 {
		id, err := resolve(cmd.Context(), c, args[0])
		if err != nil {
			return fmt.Errorf("cannot tell what it uses: %w", err)
		}
		req.Id = id
	}
	r, err := c.Stats(cmd.Context(), req)
	if err != nil {
		return statsError(req.Id, err)
	}
	views := make([]statsView, 0, len(r.GetStats()))
	for _, s := range r.GetStats() {
		views = append(views, viewStats(s))
	}
	switch {
	case a.format == formatJSON:
		return printJSON(a.out, views)
	case history:
		return a.printHistory(views)
	}
	return a.printStats(views)
}

func statsError(id string, err error) error {
	if id == "" {
		return fmt.Errorf("cannot tell what programs use: %w", err)
	}
	return fmt.Errorf("cannot tell what %s uses: %w", id, err)
}

// usageColumns are the titles of sampleCells.
var usageColumns = []string{"CPU", "MEMORY", "OF LIMIT", "STALLED", "PIDS", "IPC/S", "LOG/S", "DENIED/S"}

// sampleCells writes a sample for people; a program without one has dashes.
func sampleCells(s *sampleView) []string {
	if s == nil {
		return strings.Split(strings.Repeat("- ", len(usageColumns)-1)+"-", " ")
	}
	return []string{
		fmt.Sprintf("%.2f", s.CPU), bytesText(s.Memory), percent(s.MemoryRatio), percent(s.StalledRatio),
		fmt.Sprint(s.Pids), rate(s.IPCMessages), rate(s.LogLines), rate(s.Denials),
	}
}

func percent(ratio float64) string { return fmt.Sprintf("%.0f%%", 100*ratio) }

// rate writes a small number with a digit more, so that seldom is not never.
func rate(v float64) string {
	if v > 0 && v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func (a *app) printStats(views []statsView) error {
	t := newTable(a.out)
	t.row(append(append([]string{"ID", "APP", "STATE"}, usageColumns...), "DENIED", "HELD BY")...)
	for _, v := range views {
		t.row(append(append([]string{v.Program.ID, v.Program.AppID, v.Program.State}, sampleCells(v.Now)...),
			fmt.Sprint(v.Denials), orDash(v.ThrottledBy))...)
	}
	return t.flush()
}

func (a *app) printHistory(views []statsView) error {
	t := newTable(a.out)
	t.row(append([]string{"ID", "TIME"}, usageColumns...)...)
	for _, v := range views {
		for _, s := range v.History {
			t.row(append([]string{v.Program.ID, s.clock()}, sampleCells(&s)...)...)
		}
	}
	return t.flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// clock gives the time of a sample as a clock here shows it.
func (s *sampleView) clock() string { return s.at.Local().Format(time.TimeOnly) }
