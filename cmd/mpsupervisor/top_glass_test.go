package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// glass is what a terminal of a size shows: as much of one as top needs.
type glass struct {
	columns, lines            int
	cells                     [][]rune
	x, y                      int
	alternate, hidden, noWrap bool
	rest                      string // of a sequence or rune that is not complete
	wrong                     string // what a real one would not have taken well
}

func newGlass(columns, lines int) glass {
	g := glass{columns: columns, lines: lines, alternate: false}
	for range lines {
		g.cells = append(g.cells, slices.Repeat([]rune{' '}, columns))
	}
	return g
}

func (g *glass) text() string {
	var b strings.Builder
	for _, l := range g.cells {
		b.WriteString(strings.TrimRight(string(l), " ") + "\n")
	}
	return b.String()
}

var sequence = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)

func (g *glass) write(text string) {
	text = g.rest + text
	for text != "" {
		if m := sequence.FindStringSubmatch(text); m != nil {
			g.obey(m[1]+m[2], m[3])
			text = text[len(m[0]):]
			continue
		}
		if text[0] == '\x1b' || !utf8.FullRuneInString(text) {
			break // more of it is to come
		}
		r, n := utf8.DecodeRuneInString(text)
		g.put(r)
		text = text[n:]
	}
	g.rest = text
}

func (g *glass) put(r rune) {
	switch {
	case r == '\r':
		g.x = 0
	case r == '\n':
		if g.y++; g.y >= g.lines {
			g.y = g.lines - 1
			if g.alternate {
				g.wrong = "a line below the last"
			}
		}
	case g.x >= g.columns:
		g.x = g.columns - 1
	default:
		g.cells[g.y][g.x] = r
		g.x += cellsOfRune(r)
	}
}

func (g *glass) obey(number, letter string) {
	switch letter + number {
	case "H":
		g.x, g.y = 0, 0
	case "K":
		g.clear(g.y, g.x)
	case "J":
		g.clear(g.y, g.x)
		for y := g.y + 1; y < g.lines; y++ {
			g.clear(y, 0)
		}
	case "h?1049", "l?1049":
		g.alternate = letter == "h"
	case "l?25", "h?25":
		g.hidden = letter == "l"
	case "l?7", "h?7":
		g.noWrap = letter == "l"
	case "m0", "m1", "m7":
	default:
		g.wrong = fmt.Sprintf("the sequence %s%s", number, letter)
	}
}

func (g *glass) clear(y, from int) {
	for x := from; x < g.columns; x++ {
		g.cells[y][x] = ' '
	}
}
