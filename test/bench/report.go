package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// table prints rows for people.
func table(w io.Writer, rows []Row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METRIC\tN\tUNIT\tMIN\tP50\tP90\tCPU MS\tPEER\tP50\tP90\tRATIO\tTARGET\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t", r.Metric, r.N, r.Unit, figure(r.Ours.Min), figure(r.Ours.P50), figure(r.Ours.P90), figure(r.Ours.CPU))
		if r.Theirs != nil {
			fmt.Fprintf(t, "%s\t%s\t%s\t%.2f\t", r.Peer, figure(r.Theirs.P50), figure(r.Theirs.P90), r.Ratio)
		} else {
			fmt.Fprint(t, "\t\t\t\t")
		}
		fmt.Fprintf(t, "%s\t\n", verdict(r))
	}
	t.Flush()
}

func figure(f float64) string {
	if f == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", f)
}

func verdict(r Row) string {
	switch {
	case r.Holds == nil:
		return "for information"
	case *r.Holds:
		return fmt.Sprintf("≤ %g holds", r.Target)
	}
	return fmt.Sprintf("≤ %g MISSED", r.Target)
}

// save writes rows as JSON.
func save(file string, rows []Row) error {
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
