package metric

import (
	"strings"
	"unicode"
)

// maxLabel is the longest value of a label in bytes.
const maxLabel = 128

// label makes text a label's value: valid UTF-8 without anything that does not
// print, cut to its length. Prometheus refuses what is not UTF-8; the rest is
// for terminals, to which people send answers like these.
func label(s string) string {
	if len(s) > maxLabel {
		s = strings.ToValidUTF8(s[:maxLabel], "")
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
