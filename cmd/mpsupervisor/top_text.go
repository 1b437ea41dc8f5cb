package main

import (
	"strings"
	"unicode"
)

// fit cuts a line that is wider than a screen. It escapes whatever a terminal
// would obey, once more: nothing else may be between a text and the screen.
func fit(line string, width int) string { return cut(printable(line, false), width) }

// cut shortens a text to so many cells, and shows that it did.
func cut(text string, width int) string {
	if cellsOf(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		used += cellsOfRune(r)
		if used > width-1 {
			return text[:i] + strings.Repeat("…", min(max(width, 0), 1))
		}
	}
	return text // cannot happen: it is wider
}

// tail shortens a text to so many cells and keeps its end, which tells
// applications of one maker apart.
func tail(text string, width int) string {
	if cellsOf(text) <= width {
		return text
	}
	runes := []rune(text)
	used, i := 1, len(runes) // one for the mark
	for i > 0 && used+cellsOfRune(runes[i-1]) <= width {
		i--
		used += cellsOfRune(runes[i])
	}
	return "…" + string(runes[i:])
}

// cellsOf is how many cells of a terminal a text takes.
func cellsOf(text string) (n int) {
	for _, r := range text {
		n += cellsOfRune(r)
	}
	return n
}

// wide are the blocks whose characters take two cells: those that Unicode's
// EastAsianWidth.txt calls wide, without the gaps between them.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x2e80, Hi: 0xa4cf, Stride: 1}, {Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, {Lo: 0xff00, Hi: 0xff60, Stride: 1}, {Lo: 0xffe0, Hi: 0xffe6, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1f300, Hi: 0x1faff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1}},
}

func cellsOfRune(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
