package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// format is how a command prints.
type format string

// The formats.
const (
	formatJSON  format = "json"  // one object or array; streams print an object a line
	formatTable format = "table" // for people; may change
)

// formatFlag is -o. It takes the two formats and nothing else.
type formatFlag struct {
	value     *format
	byDefault format
}

func (f *formatFlag) String() string { return string(f.byDefault) }
func (f *formatFlag) Type() string   { return "format" }

func (f *formatFlag) Set(s string) error {
	switch format(s) {
	case formatJSON, formatTable:
		*f.value = format(s)
		return nil
	}
	return fmt.Errorf("it is json or table")
}

// printJSON prints v on one line.
func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		b, err = printableJSON(b)
	}
	if err != nil {
		return fmt.Errorf("cannot print the answer: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// table prints rows in columns. Every cell is escaped.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
}

func (t table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(printable(c, false), "\t", " ")
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t table) flush() error { return t.w.Flush() }
