package control

import (
	"fmt"
	"strings"
	"unicode"
)

// Printable makes text of a mini-program safe to print to a terminal: control
// characters (escape sequences begin with one), and the invisible ones that
// change the direction of text, are written as escapes. Tabs stay; newlines
// stay if multiline is set, as in a stack.
func Printable(text string, multiline bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t', r == '\n' && multiline, r == ' ':
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}
