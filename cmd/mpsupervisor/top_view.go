package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// topColumn is a column of the table.
type topColumn struct {
	title  string
	number bool // aligned to the right
	narrow bool // there even where not all have room
	of     func(*statsView) string
}

// topColumns are the columns that fit a wide screen. The width of the second,
// the app_id, is what the others leave.
var topColumns = []topColumn{
	{"ID", false, true, func(v *statsView) string { return v.Program.ID }},
	{"APP", false, true, func(v *statsView) string { return v.Program.AppID }},
	{"STATE", false, true, func(v *statsView) string { return v.Program.State }},
	{"CPU", true, true, usageCell("CPU")},
	{"MEMORY", true, true, usageCell("MEMORY")},
	{"OF LIMIT", true, false, usageCell("OF LIMIT")},
	{"STALLED", true, false, usageCell("STALLED")},
	{"PIDS", true, true, usageCell("PIDS")},
	{"IPC/S", true, false, usageCell("IPC/S")},
	{"LOG/S", true, false, usageCell("LOG/S")},
	{"DENIED/S", true, false, usageCell("DENIED/S")},
	{"DENIED", true, true, func(v *statsView) string { return fmt.Sprint(v.Denials) }},
	{"HELD BY", false, true, func(v *statsView) string { return orDash(v.ThrottledBy) }},
}

// usageCell gives the cell that stats prints under a title.
func usageCell(title string) func(*statsView) string {
	at := slices.Index(usageColumns, title)
	return func(v *statsView) string { return sampleCells(v.Now)[at] }
}

const (
	appColumn = 1
	wideTop   = 120 // cells of a screen with all columns
	mostApp   = 40  // cells of an app_id: the numbers after it matter more
	leastApp  = 8
	between   = "  "
)

// columnsFor are the columns of a screen of a width.
func columnsFor(width int) []topColumn {
	if width >= wideTop {
		return topColumns
	}
	return slices.DeleteFunc(slices.Clone(topColumns), func(c topColumn) bool { return !c.narrow })
}

const topKeys = "q quit  ? help  j/k select  x end  f freeze  c cpu  m memory  p pids  d denied  n name  r reverse"

var topHelp = []string{
	"c m p d n    sort by cpu, memory, pids, denied system calls, name",
	"r            the other way round",
	"j k, arrows  select; also page up, page down, home, end, g, G",
	"f            freeze the selected program, or thaw it",
	"x            end it; asks first",
	"Ctrl-Z       go to the shell; fg comes back",
	"q, Ctrl-C    quit",
	"",
	"cpu is in processors; rates are for a second; STALLED is the part of the time",
	"in which some task waited for memory; DENIED counts since the start;",
	"HELD BY names the rule of the monitor that holds the program back.",
	"A screen of 120 columns has room for all.",
}

// lines is the whole screen: a summary, a line for what is the matter, the
// table, and what the keys do. None is wider than the screen.
func (m *topModel) lines(width, height int) []string {
	const around = 4
	m.page = height - around
	m.scroll()
	out := []string{fit(m.summary(), width), bold + fit(m.message(), width)}
	if m.help {
		for _, l := range topHelp {
			out = append(out, fit(l, width))
		}
		return out[:min(len(out), height)]
	}
	out = append(out, m.table(width)...)
	for len(out) < height-1 {
		out = append(out, "")
	}
	return append(out[:max(height-1, 0)], fit(topKeys, width))[:height]
}

// summary is the first line: what all use together.
func (m *topModel) summary() string {
	var cpu float64
	var memory uint64
	var frozen int
	for i := range m.rows {
		cpu += m.rows[i].now().CPU
		memory += m.rows[i].now().Memory
		if m.rows[i].Program.State == "frozen" {
			frozen++
		}
	}
	return fmt.Sprintf("mpsupervisor  %s  %d programs, %d frozen  cpu %.2f  memory %s",
		m.at.Local().Format(time.TimeOnly), len(m.rows), frozen, cpu, bytesText(memory))
}

// message is the second line: a question, what is wrong, or what was done.
func (m *topModel) message() string {
	switch {
	case m.help:
		return "Any key goes back."
	case m.asking != nil:
		p := m.asking.Program
		return fmt.Sprintf("End %s (%s)? y ends it, any other key does not", p.ID, cut(printable(p.AppID, false), mostApp))
	case m.problem != "":
		return "not up to date: " + printable(m.problem, false)
	}
	return printable(m.said, false)
}

// table is the titles and the rows that fit.
func (m *topModel) table(width int) []string {
	columns := columnsFor(width)
	rows := [][]string{titles(columns)}
	for i := m.first; i < min(m.first+m.page, len(m.rows)); i++ {
		rows = append(rows, cellsFor(columns, &m.rows[i]))
	}
	widths := widthsFor(rows, width)
	out := make([]string, 0, len(rows))
	for n, r := range rows {
		line := fit(aligned(columns, r, widths), width)
		switch {
		case n == 0:
			line = bold + m.marked(line, columns, widths)
		case m.first+n-1 == m.index:
			line = reverse + line + strings.Repeat(" ", max(width-cellsOf(line), 0))
		}
		out = append(out, line)
	}
	return out
}

func titles(columns []topColumn) (row []string) {
	for _, c := range columns {
		row = append(row, c.title)
	}
	return row
}

func cellsFor(columns []topColumn, v *statsView) (row []string) {
	for _, c := range columns {
		row = append(row, printable(c.of(v), false))
	}
	return row
}

// widthsFor makes each column as wide as its widest cell, but for the app_id.
func widthsFor(rows [][]string, width int) []int {
	widths := make([]int, len(rows[0]))
	others := 0
	for c := range widths {
		for _, r := range rows {
			widths[c] = max(widths[c], cellsOf(r[c]))
		}
		if c != appColumn {
			others += widths[c] + len(between)
		}
	}
	widths[appColumn] = min(widths[appColumn], max(width-others, leastApp), mostApp)
	return widths
}

// marked shows in the titles by which column rows are sorted.
func (m *topModel) marked(line string, columns []topColumn, widths []int) string {
	at := 0
	for i, c := range columns {
		if c.title == m.order.column {
			if c.number {
				at += widths[i] - len(c.title)
			}
			break
		}
		at += widths[i] + len(between)
	}
	end := at + len(m.order.column)
	if end > len(line) || line[at:end] != m.order.column {
		return line // the screen is too narrow for it
	}
	return line[:at] + reverse + line[at:end] + plain + bold + line[end:]
}

func aligned(columns []topColumn, cells []string, widths []int) string {
	var b strings.Builder
	for i, text := range cells {
		text = tail(text, widths[i])
		space := strings.Repeat(" ", widths[i]-cellsOf(text))
		if columns[i].number {
			b.WriteString(space + text)
		} else {
			b.WriteString(text + space)
		}
		b.WriteString(between)
	}
	return strings.TrimRight(b.String(), " ")
}
