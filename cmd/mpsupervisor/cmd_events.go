package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newEvents(a *app) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Print what happened in the supervisor",
		Long: `events prints the latest events: programs started and ended and why, system
calls that were refused to a program (seccomp_denied), memory faults (fault), what
the monitor did about abnormal use and on which evidence, packages put in
quarantine, calls of the control API refused, configuration reloaded. With -f it
waits for more.`,
		Example: `  mpsupervisor events
  mpsupervisor events -f -o json | jq -r 'select(.type == "ended") | .fields.cause'
  mpsupervisor events -o json | jq -r 'select(.type == "seccomp_denied") | [.app_id, .fields.syscall] | @tsv'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.events(cmd, follow) },
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more")
	a.addFormat(cmd, formatTable)
	return cmd
}

type eventView struct {
	Seq    uint64            `json:"seq"`
	Time   *string           `json:"time"`
	Type   string            `json:"type"`
	ID     string            `json:"id"`
	AppID  string            `json:"app_id"`
	Fields map[string]string `json:"fields"`
}

func (a *app) events(cmd *cobra.Command, follow bool) error {
	c := a.client()
	defer c.Close()
	stream, err := c.Events(cmd.Context(), &controlpb.EventsRequest{Follow: follow})
	if err != nil {
		return fmt.Errorf("cannot read events: %w", err)
	}
	defer stream.Close()
	for stream.Receive() {
		if err := a.printEvent(stream.Msg()); err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return fmt.Errorf("cannot read events: %w", err)
	}
	return nil
}

func (a *app) printEvent(e *controlpb.Event) error {
	if a.format == formatJSON {
		v := eventView{Seq: e.GetSeq(), Time: stamp(e.GetTime()), Type: e.GetType(), ID: e.GetId(),
			AppID: e.GetAppId(), Fields: e.GetFields()}
		if v.Fields == nil {
			v.Fields = map[string]string{}
		}
		return printJSON(a.out, v)
	}
	cells := []string{e.GetTime().AsTime().Local().Format(time.DateTime), e.GetType()}
	for _, c := range []string{e.GetId(), e.GetAppId()} {
		if c != "" {
			cells = append(cells, c)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(e.GetFields())) {
		cells = append(cells, fmt.Sprintf("%s=%q", k, e.GetFields()[k]))
	}
	_, err := fmt.Fprintln(a.out, printable(strings.Join(cells, " "), false))
	return err
}
