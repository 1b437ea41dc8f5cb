package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func newQuarantine(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "List packages that crashed too often, or let them go",
		Long: `A package whose programs crash again and again may not be started for a while: 10
seconds after the third crash in a minute, and twice as long after each further
one, up to an hour ([monitor.quarantine] in the configuration). To crash is to end
by a limit, a forbidden system call, a memory fault, a broken protocol, a signal
that is not for ending programs, or a rule of the monitor.

Without a subcommand, quarantine lists the packages that may not be started now.`,
		Example: `  mpsupervisor quarantine
  mpsupervisor quarantine clear com.example.loan
  mpsupervisor quarantine list -o json | jq -r '.[].digest'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              a.quarantineList,
	}
	a.addFormat(cmd, formatTable)
	cmd.AddCommand(newQuarantineList(a), newQuarantineClear(a))
	return cmd
}

func newQuarantineList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "list",
		Short:             "List the packages that may not be started now",
		Example:           `  mpsupervisor quarantine list`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              a.quarantineList,
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

func newQuarantineClear(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clear APP|DIGEST",
		Short: "Let a package be started again now",
		Long: `clear forgets the crashes of a package, by its digest or the beginning of one, or
of every package of an application, by its app_id.`,
		Example: `  mpsupervisor quarantine clear com.example.loan
  mpsupervisor quarantine clear sha256:3f1c`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeQuarantined(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.quarantineClear(cmd, args[0]) },
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

type quarantinedView struct {
	Digest  string  `json:"digest"`
	AppID   string  `json:"app_id"`
	Crashes uint32  `json:"crashes"`
	Until   *string `json:"until"`
	Last    string  `json:"last"` // the latest end
	until   time.Time
}

func viewQuarantined(all []*controlpb.Quarantined) []quarantinedView {
	v := make([]quarantinedView, 0, len(all))
	for _, q := range all {
		v = append(v, quarantinedView{Digest: q.GetDigest(), AppID: q.GetAppId(), Crashes: q.GetCrashes(),
			Until: stamp(q.GetUntil()), Last: q.GetLast(), until: timeOf(q.GetUntil())})
	}
	return v
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func (a *app) quarantineList(cmd *cobra.Command, _ []string) error {
	c := a.client()
	defer c.Close()
	r, err := c.Quarantine(cmd.Context(), &controlpb.QuarantineRequest{})
	if err != nil {
		return fmt.Errorf("cannot list the quarantine: %w", err)
	}
	return a.printQuarantined(viewQuarantined(r.GetQuarantined()))
}

// quarantineClear lets go what is meant, and prints it.
func (a *app) quarantineClear(cmd *cobra.Command, what string) error {
	c := a.client()
	defer c.Close()
	meant, full, err := quarantined(cmd.Context(), c, what)
	if err == nil {
		_, err = c.Quarantine(cmd.Context(), &controlpb.QuarantineRequest{Clear: full})
	}
	if err != nil {
		return fmt.Errorf("cannot clear %.80q: %w", what, err)
	}
	return a.printQuarantined(meant)
}

// quarantined finds the packages that an app_id, a digest or the beginning of
// one stands for, and the full name of them.
func quarantined(ctx context.Context, c *control.Client, what string) (meant []quarantinedView, full string, err error) {
	r, err := c.Quarantine(ctx, &controlpb.QuarantineRequest{})
	if err != nil {
		return nil, "", err
	}
	var begin []quarantinedView
	for _, q := range viewQuarantined(r.GetQuarantined()) {
		switch {
		case q.AppID == what:
			meant = append(meant, q)
		case isDigestPrefix(what) && strings.HasPrefix(q.Digest, what):
			begin = append(begin, q)
		}
	}
	switch {
	case len(meant) > 0:
		return meant, what, nil
	case len(begin) == 1:
		return begin, begin[0].Digest, nil
	case len(begin) > 1:
		return nil, "", fmt.Errorf("ambiguous: %d packages begin with it; give more digits", len(begin))
	}
	return nil, "", fmt.Errorf("not in quarantine: %w; see mpsupervisor quarantine list", mp.ErrNotFound)
}

func isDigestPrefix(s string) bool {
	const prefix = "sha256:"
	return len(s) > len(prefix) && strings.HasPrefix(s, prefix)
}

func (a *app) printQuarantined(all []quarantinedView) error {
	if a.format == formatJSON {
		return printJSON(a.out, all)
	}
	t := newTable(a.out)
	t.row("DIGEST", "APP", "CRASHES", "FOR", "LATEST END")
	for _, q := range all {
		t.row(shortDigest(q.Digest), q.AppID, fmt.Sprint(q.Crashes), roughly(time.Until(q.until)), q.Last)
	}
	return t.flush()
}

// shortDigest is enough of a digest to tell packages of one host apart.
func shortDigest(d string) string { return d[:min(len(d), len("sha256:")+12)] }

// completeQuarantined offers the packages in quarantine to the shell.
func completeQuarantined(a *app) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 {
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		c := a.client()
		defer c.Close()
		r, err := c.Quarantine(ctx, &controlpb.QuarantineRequest{})
		if err != nil {
			return nil, directive
		}
		var names []cobra.Completion
		for _, q := range r.GetQuarantined() {
			names = append(names, printable(q.GetAppId(), false),
				cobra.CompletionWithDesc(printable(q.GetDigest(), false), printable(q.GetAppId(), false)))
		}
		return names, directive
	}
}
