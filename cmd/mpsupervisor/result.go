package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// printResult prints the JSON that a program returned: as it gave it, on one
// line, or as a table.
func (a *app) printResult(b []byte) error {
	safe, err := printableJSON(b)
	if err != nil {
		return fmt.Errorf("cannot print the result: %w", err)
	}
	if a.format == formatTable {
		return printValue(a.out, safe)
	}
	_, err = fmt.Fprintf(a.out, "%s\n", safe)
	return err
}

// printValue prints an object as rows of name and value, an array of objects
// as rows of their members, and anything else as it is.
func printValue(w io.Writer, b []byte) error {
	t := newTable(w)
	if names, members, ok := object(b); ok {
		for _, n := range names {
			t.row(n, cell(members[n]))
		}
		return t.flush()
	}
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil || list == nil {
		t.row(cell(b))
		return t.flush()
	}
	columns := columnsOf(list)
	if len(columns) > 0 {
		t.row(columns...)
	}
	for _, item := range list {
		_, members, ok := object(item)
		if !ok {
			t.row(cell(item))
			continue
		}
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(members[c])
		}
		t.row(cells...)
	}
	return t.flush()
}

// columnsOf lists the members of the objects in list, in order of appearance.
func columnsOf(list []json.RawMessage) (columns []string) {
	for _, item := range list {
		names, _, _ := object(item)
		for _, n := range names {
			if !slices.Contains(columns, n) {
				columns = append(columns, n)
			}
		}
	}
	return columns
}

// object splits a JSON object, and keeps the order of its members.
func object(b []byte) (names []string, members map[string]json.RawMessage, ok bool) {
	if json.Unmarshal(b, &members) != nil || members == nil {
		return nil, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.Token() // the brace; b is known to be an object
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, false // cannot happen: b is valid
		}
		if n := name.(string); !slices.Contains(names, n) {
			names = append(names, n)
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, nil, false // cannot happen: b is valid
		}
	}
	return names, members, true
}

// cell shows a string without its quotes, and any other value as JSON.
func cell(b json.RawMessage) string {
	var s string
	if json.Unmarshal(b, &s) == nil && len(b) > 0 && b[0] == '"' {
		return s
	}
	return string(b)
}
