package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

func newHibernate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hibernate ID...",
		Short: "Write programs to the disk and end their processes, until resume",
		Long: `hibernate writes the heap of a program in JavaScript to the disk, encrypted, and
ends its process: no memory and no processor are used, and the program can be
resumed also after a restart of the daemon. Calls under way end with an AbortError;
others are refused until resume. The program is told with the event "hibernate",
and can save JSON for the case that its image does not fit any more.

If it cannot be done the program goes on. hibernate tries all that are named, and
fails if one failed.`,
		Example: `  mpsupervisor hibernate k3v
  mpsupervisor hibernate $(mpsupervisor ps -o json | jq -r '.[] | select(.state == "running") | .id')`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return eachResult(a, cmd, "hibernate", ids, hibernate)
		},
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

func newResume(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume ID...",
		Short: "Go on with hibernated programs",
		Long: `resume goes on with programs that hibernate has written to the disk: everything
that they had is there, but requests to their host that were under way. An image
serves once. If it cannot be used, since the daemon was updated or the file was
changed, the program begins with its source and gets what it saved itself; what
came of it, and why, is printed. resume tries all that are named, and fails if one
failed.`,
		Example: `  mpsupervisor resume k3v
  mpsupervisor resume $(mpsupervisor ps -o json | jq -r '.[] | select(.state == "hibernated") | .id')`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeIDs(a, false, 1000),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return eachResult(a, cmd, "resume", ids, resume)
		},
	}
	a.addFormat(cmd, formatTable)
	return cmd
}

type hibernateView struct {
	ID         string `json:"id"`
	State      string `json:"state"`
	ImageBytes uint64 `json:"image_bytes"`
	StateBytes uint64 `json:"state_bytes"` // that the program saved itself
}

func (v hibernateView) row() []string { return []string{v.ID, v.State, bytesText(v.ImageBytes)} }

func hibernate(ctx context.Context, c *control.Client, id string) (hibernateView, error) {
	r, err := c.Hibernate(ctx, &controlpb.HibernateRequest{Id: id})
	return hibernateView{ID: id, State: "hibernated", ImageBytes: r.GetImageBytes(), StateBytes: r.GetStateBytes()}, err
}

type resumeView struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`
	Image  string    `json:"image"`  // instance: it went on; prelude, ready: it began anew
	Reason string    `json:"reason"` // for which it began anew
	Exit   *exitView `json:"exit"`   // null while it runs
}

func (v resumeView) row() []string {
	if v.Exit != nil {
		return []string{v.ID, "ended: " + v.Exit.text(), v.began()}
	}
	return []string{v.ID, v.State, v.began()}
}

func (v resumeView) began() string {
	if v.Reason == "" {
		return ""
	}
	return "began anew: " + printable(v.Reason, false)
}

func resume(ctx context.Context, c *control.Client, id string) (resumeView, error) {
	r, err := c.Resume(ctx, &controlpb.ResumeRequest{Id: id})
	v := resumeView{ID: id, State: "running", Image: r.GetImage(), Reason: r.GetReason(), Exit: viewExit(r.GetExit())}
	if v.Exit != nil {
		v.State = "ended"
	}
	return v, err
}

// eachResult does one thing to all programs that are named, and prints what came
// of those with which it could be done.
func eachResult[V interface{ row() []string }](a *app, cmd *cobra.Command, verb string, prefixes []string, do func(context.Context, *control.Client, string) (V, error)) error {
	c := a.client()
	defer c.Close()
	views := []V{}
	var failed []error
	for _, prefix := range prefixes {
		id, err := resolve(cmd.Context(), c, prefix)
		var v V
		if err == nil {
			v, err = do(cmd.Context(), c, id)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("cannot %s: %w", verb, err))
			continue
		}
		views = append(views, v)
	}
	return errors.Join(printRows(a, views), errors.Join(failed...))
}

func printRows[V interface{ row() []string }](a *app, views []V) error {
	if a.format == formatJSON {
		return printJSON(a.out, views)
	}
	t := newTable(a.out)
	for _, v := range views {
		t.row(v.row()...)
	}
	return t.flush()
}
