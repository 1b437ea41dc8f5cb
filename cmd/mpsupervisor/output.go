package main

import (
	"bytes"
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

// table prints rows in columns. Every cell is escaped. Rows of one table should
// have the same number of cells: a shorter one ends the columns above it.
type table struct {
	w       io.Writer
	text    *bytes.Buffer
	columns *tabwriter.Writer
}

func newTable(w io.Writer) table {
	var text bytes.Buffer
	return table{w, &text, tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)}
}

func (t table) row(cells ...string) {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = strings.ReplaceAll(printable(c, false), "\t", " ")
	}
	fmt.Fprintln(t.columns, strings.Join(safe, "\t"))
}

// flush prints the rows, without the white space of empty last cells.
func (t table) flush() error {
	if err := t.columns.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(t.text.String()) {
		if _, err := fmt.Fprintln(t.w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
