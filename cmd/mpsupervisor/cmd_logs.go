package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newLogs(a *app) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Print the console lines of a program",
		Long: `logs prints what a program wrote to its console: the lines that are kept, and
with -f those to come, until the program ends. Lines above the program's log
rate were dropped; how many is said where they are missing.

Level, time and text are the program's claims.`,
		Example: `  mpsupervisor logs k3v
  mpsupervisor logs -f -o json k3v | jq -r 'select(.level == "error") | .text'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeIDs(a, true, 1),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.logs(cmd, args[0], follow) },
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more, until the program ends")
	a.addFormat(cmd, formatTable)
	return cmd
}

type logView struct {
	Time    *string `json:"time"`
	Level   string  `json:"level"`
	Text    string  `json:"text"`
	Dropped uint64  `json:"dropped"` // lines that are missing before this one
}

func (a *app) logs(cmd *cobra.Command, prefix string, follow bool) error {
	c := a.client()
	defer c.Close()
	id, err := resolve(cmd.Context(), c, prefix)
	if err != nil {
		return fmt.Errorf("cannot read logs: %w", err)
	}
	return eachLine(cmd.Context(), c, &controlpb.LogsRequest{Id: id, Follow: follow}, func(l *controlpb.LogLine) error {
		if a.format == formatJSON {
			return printJSON(a.out, logView{Time: stamp(l.GetTime()), Level: l.GetLevel(), Text: l.GetText(), Dropped: l.GetDropped()})
		}
		return printLine(a.out, l, l.GetTime().AsTime().Local().Format(time.TimeOnly+".000")+" ")
	})
}

// eachLine passes the lines of a program to f until the stream ends.
func eachLine(ctx context.Context, c *control.Client, req *controlpb.LogsRequest, f func(*controlpb.LogLine) error) error {
	stream, err := c.Logs(ctx, req)
	if err != nil {
		return fmt.Errorf("cannot read logs: %w", err)
	}
	defer stream.Close()
	for stream.Receive() {
		if err := f(stream.Msg()); err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return fmt.Errorf("cannot read logs: %w", err)
	}
	return nil
}

// printLine prints a console line for people, after what was dropped before it.
func printLine(w io.Writer, l *controlpb.LogLine, prefix string) error {
	if n := l.GetDropped(); n > 0 {
		if _, err := fmt.Fprintf(w, "%s(%d lines dropped: above the log rate)\n", prefix, n); err != nil {
			return err
		}
	}
	if l.GetLevel() == "" && l.GetText() == "" {
		return nil // it only told what was dropped
	}
	_, err := fmt.Fprintf(w, "%s%-5s %s\n", prefix, printable(l.GetLevel(), false), printable(l.GetText(), true))
	return err
}
