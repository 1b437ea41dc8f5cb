package weburl

import (
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/charset"
)

// UnescapeForm decodes a name or a value of application/x-www-form-urlencoded
// (section 5.1): bytes that are not UTF-8 become U+FFFD.
func UnescapeForm(s string) string {
	s = decode(strings.ReplaceAll(s, "+", " "))
	return string(charset.All[0].Decode(charset.Input{Bytes: []byte(s), Last: true}).Text)
}

// EscapeForm appends a name or a value in that form (section 5.2).
func EscapeForm(b *strings.Builder, s string) {
	b.Grow(len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), c == '*', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
}
