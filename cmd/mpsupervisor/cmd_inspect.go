package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newInspect(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect ID",
		Short: "Tell all about a program, with its locks as verified now",
		Long: `inspect tells all about a program. Each lock is read from the kernel at this
moment, by the launcher and from outside the worker: what is found, beside what
a sealed worker must have.`,
		Example: `  mpsupervisor inspect k3v
  mpsupervisor inspect -o json k3v | jq '.locks[] | select(.ok | not)'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeIDs(a, true, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.inspect(cmd, args[0]) },
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

func (a *app) inspect(cmd *cobra.Command, prefix string) error {
	c := a.client()
	defer c.Close()
	id, err := resolve(cmd.Context(), c, prefix)
	if err != nil {
		return fmt.Errorf("cannot inspect: %w", err)
	}
	r, err := c.Inspect(cmd.Context(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		return fmt.Errorf("cannot inspect %s: %w", id, err)
	}
	v := viewInspect(r)
	if a.format == formatJSON {
		return printJSON(a.out, v)
	}
	return v.print(a.out)
}

// print writes one group after another, each in columns of its own.
func (v inspectView) print(w io.Writer) error {
	groups := []struct {
		title string
		rows  [][]string
	}{
		{"PROGRAM", v.programRows()},
		{"LIMITS AND USAGE", v.limitRows()},
		{"REFUSED SYSTEM CALLS", denialRows(v.Denials)},
		{"LOCKS", lockRows(v.Locks)},
		{"CHANNEL", v.channelRows()},
	}
	for i, g := range groups {
		if len(g.rows) == 0 {
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, g.title)
		t := newTable(w)
		for _, r := range g.rows {
			r[0] = "  " + r[0]
			t.row(r...)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (v inspectView) programRows() [][]string {
	p := v.Program
	rows := [][]string{
		{"id", p.ID}, {"app", p.AppID + " " + p.Version}, {"name", p.Name}, {"runtime", p.Runtime}, {"state", p.State},
		{"started", text(p.Started)}, {"pid", pidText(p.PID)}, {"calls", fmt.Sprint(p.Calls)}, {"visible", p.visibility()},
		{"entry", v.Entry}, {"exports", strings.Join(v.Exports, ", ")}, {"pages", strings.Join(v.Pages, ", ")},
		{"package", p.Digest}, {"policy", v.PolicyDigest}, {"heap image", v.Image},
	}
	if v.StartImage != "" {
		rows = append(rows, []string{"began with", beganText(v.StartImage, v.StartReason)})
	}
	if p.Hibernated != nil {
		rows = append(rows, []string{"hibernated", *p.Hibernated}, []string{"image", bytesText(p.ImageBytes)})
	}
	if v.Learning {
		rows = append(rows, []string{"learning", "every system call is recorded, none refused"})
	}
	if p.Exit != nil {
		rows = append(rows, []string{"ended", text(p.Exit.Time)}, []string{"cause", p.Exit.text()},
			[]string{"exit status", fmt.Sprint(p.Exit.Status)})
	}
	return rows
}

// beganText is what a program began with, for people.
func beganText(image, reason string) string {
	text := map[string]string{"prelude": "its source", "ready": "its package's ready image", "instance": "its own image"}[image]
	if reason != "" {
		text += ": " + printable(reason, false)
	}
	return text
}

func (v inspectView) limitRows() [][]string {
	u := v.Usage
	used := map[string][]string{
		"memory":    {bytesText(u.Memory), "peak " + bytesText(u.Peak)},
		"pids":      {fmt.Sprint(u.Pids), ""},
		"cpu":       {fmt.Sprintf("%.3fs", u.CPUSeconds), fmt.Sprintf("held back in %d periods", u.Throttled)},
		"log lines": {fmt.Sprint(u.LogLines), fmt.Sprintf("%d dropped", u.LogDropped)},
	}
	rows := [][]string{{"", "LIMIT", "USED", ""}}
	for _, l := range v.Limits.rows(v.Program.Runtime == runtimeNative) {
		row := []string{l.name, l.value, "", ""}
		copy(row[2:], used[l.name])
		rows = append(rows, row)
	}
	return rows
}

// runtimeNative is the runtime of a program with processes of its own.
const runtimeNative = "native"

// denialRows is the table of refused system calls; it is empty when there are none.
func denialRows(denials []denialView) [][]string {
	if len(denials) == 0 {
		return nil
	}
	rows := [][]string{{"CALL", "ARCH", "ACTION", "COUNT"}}
	for _, d := range denials {
		rows = append(rows, []string{d.Syscall, d.Arch, d.Action, fmt.Sprint(d.Count)})
	}
	return rows
}

// lockRows is the table of locks; it is empty when there are none to show.
func lockRows(locks []lockView) [][]string {
	if len(locks) == 0 {
		return nil
	}
	rows := [][]string{{"", "LOCK", "WANT", "FOUND"}}
	for _, l := range locks {
		rows = append(rows, []string{mark(l.OK), l.Name, l.Want, l.Found})
	}
	return rows
}

func (v inspectView) channelRows() [][]string {
	c := v.Channel
	if c == nil {
		return nil
	}
	return [][]string{
		{"handshake", c.Handshake},
		{"sent", fmt.Sprintf("%d messages, %s", c.SentMessages, bytesText(c.SentBytes))},
		{"received", fmt.Sprintf("%d messages, %s", c.ReceivedMessages, bytesText(c.ReceivedBytes))},
		{"rekeys", fmt.Sprint(c.Rekeys)},
	}
}

// mark shows a lock or a feature at a glance.
func mark(ok bool) string {
	if ok {
		return "ok"
	}
	return "MISSING"
}

func text(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
