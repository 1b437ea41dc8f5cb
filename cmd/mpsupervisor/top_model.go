package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// topModel is what top shows and where its user is. It does nothing itself:
// press tells what is to be done.
type topModel struct {
	rows     []statsView
	at       time.Time // of rows
	problem  string    // why rows are not newer; "" if they are
	said     string    // what became of the latest deed
	order    topOrder
	reversed bool
	selected string // ID; the row it was on stays selected when it is gone
	index    int
	first    int // the topmost row that is shown
	page     int // rows that fit
	asking   *statsView
	help     bool
}

// topOrder is by what rows are sorted.
type topOrder struct {
	key    key
	column string // whose title is marked
	less   func(a, b *statsView) int
}

// orders are the ways to sort, by their keys. Most use comes first, and names
// by the alphabet.
var orders = []topOrder{
	{"c", "CPU", func(a, b *statsView) int { return cmp.Compare(b.now().CPU, a.now().CPU) }},
	{"m", "MEMORY", func(a, b *statsView) int { return cmp.Compare(b.now().Memory, a.now().Memory) }},
	{"p", "PIDS", func(a, b *statsView) int { return cmp.Compare(b.now().Pids, a.now().Pids) }},
	{"d", "DENIED", func(a, b *statsView) int { return cmp.Compare(b.Denials, a.Denials) }},
	{"n", "APP", func(a, b *statsView) int { return strings.Compare(a.Program.AppID, b.Program.AppID) }},
}

// now is the latest sample, or one of nothing.
func (v *statsView) now() sampleView {
	if v.Now == nil {
		return sampleView{}
	}
	return *v.Now
}

func newTopModel() *topModel { return &topModel{order: orders[0], page: 1} }

// deed is what a key asks to be done to the world.
type deed string

// The deeds.
const (
	deedNone    deed = ""
	deedQuit    deed = "quit"
	deedSuspend deed = "suspend"
	deedKill    deed = "kill"
	deedFreeze  deed = "freeze"
	deedThaw    deed = "thaw"
)

// update takes what programs use now.
func (m *topModel) update(rows []statsView, at time.Time) {
	m.rows, m.at, m.problem = rows, at, ""
	m.sort()
}

// sort orders the rows, and finds the selected one again.
func (m *topModel) sort() {
	slices.SortStableFunc(m.rows, func(a, b statsView) int {
		c := m.order.less(&a, &b)
		if m.reversed {
			c = -c
		}
		return cmp.Or(c, strings.Compare(a.Program.ID, b.Program.ID))
	})
	if i := slices.IndexFunc(m.rows, func(v statsView) bool { return v.Program.ID == m.selected }); i >= 0 {
		m.index = i
	}
	m.choose(m.index)
}

// choose selects the row of an index, as far as there is one, and scrolls to it.
func (m *topModel) choose(index int) {
	m.index = max(min(index, len(m.rows)-1), 0)
	m.selected = ""
	if len(m.rows) > 0 {
		m.selected = m.rows[m.index].Program.ID
	}
	m.scroll()
}

func (m *topModel) scroll() {
	m.page = max(m.page, 1)
	m.first = min(max(m.first, m.index-m.page+1), m.index)
	m.first = max(min(m.first, len(m.rows)-m.page), 0)
}

// current is the selected row, or nil.
func (m *topModel) current() *statsView {
	if m.index >= len(m.rows) {
		return nil
	}
	return &m.rows[m.index]
}

// press takes a key. What is to be done is done to the program of the ID.
func (m *topModel) press(k key) (do deed, id string) {
	switch {
	case k == keyCtrlC:
		return deedQuit, ""
	case k == keyCtrlZ:
		return deedSuspend, ""
	case m.asking != nil:
		return m.answer(k)
	case m.help:
		m.help = false
		return deedNone, ""
	}
	m.said = ""
	return m.command(k)
}

// answer takes the key that answers whether to kill.
func (m *topModel) answer(k key) (deed, string) {
	id := m.asking.Program.ID
	m.asking = nil
	if k == "y" || k == "Y" {
		m.said = "ending " + id
		return deedKill, id
	}
	return deedNone, ""
}

func (m *topModel) command(k key) (deed, string) {
	switch k {
	case "q":
		return deedQuit, ""
	case "?", "h":
		m.help = true
	case "r":
		m.reversed = !m.reversed
		m.sort()
	case "x":
		if v := m.current(); v != nil {
			asked := *v
			m.asking = &asked
		}
	case "f":
		return m.toggle()
	default:
		m.sortBy(k)
		m.move(k)
	}
	return deedNone, ""
}

// toggle freezes the selected program, or thaws it.
func (m *topModel) toggle() (deed, string) {
	v := m.current()
	switch {
	case v == nil:
		return deedNone, ""
	case v.Program.State == "frozen":
		return deedThaw, v.Program.ID
	}
	return deedFreeze, v.Program.ID
}

func (m *topModel) sortBy(k key) {
	for _, o := range orders {
		if o.key == k {
			m.order = o
			m.sort()
		}
	}
}

func (m *topModel) move(k key) {
	switch k {
	case keyUp, "k":
		m.choose(m.index - 1)
	case keyDown, "j":
		m.choose(m.index + 1)
	case keyPageUp:
		m.choose(m.index - m.page)
	case keyPageDn:
		m.choose(m.index + m.page)
	case keyHome, "g":
		m.choose(0)
	case keyEnd, "G":
		m.choose(len(m.rows) - 1)
	}
}

// done takes what became of a deed.
func (m *topModel) done(do deed, id string, err error) {
	past := map[deed]string{deedKill: "ended", deedFreeze: "froze", deedThaw: "thawed"}
	m.said = fmt.Sprintf("%s %s", past[do], id)
	if err != nil {
		m.said = fmt.Sprintf("cannot %s %s: %v", do, id, err)
	}
}
