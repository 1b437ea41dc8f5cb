package weburl

import (
	"slices"
	"strings"
)

// encodeSet says which bytes are percent-encoded (section 1.3): by bits, from
// the smallest set to the largest.
type encodeSet uint8

const (
	setControl encodeSet = 1 << iota
	setFragment
	setQuery
	setSpecialQuery
	setPath
	setUserinfo
)

// setsOf has the sets that each byte is in.
var setsOf = func() (sets [256]encodeSet) {
	add := func(s encodeSet, bytes string) {
		for _, c := range []byte(bytes) {
			sets[c] |= s
		}
	}
	for c := range sets {
		if c < 0x20 || c > 0x7e {
			sets[c] = setControl | setFragment | setQuery | setSpecialQuery | setPath | setUserinfo
		}
	}
	add(setFragment, " \"<>`")
	add(setQuery|setSpecialQuery|setPath|setUserinfo, " \"#<>")
	add(setSpecialQuery, "'")
	add(setPath|setUserinfo, "?^`{}")
	add(setUserinfo, "/:;=@[\\]|")
	return sets
}()

const hexDigits = "0123456789ABCDEF"

// appendEncoded appends s with the bytes of a set percent-encoded.
func appendEncoded(dst []byte, s string, set encodeSet) []byte {
	from := 0
	for i := range len(s) {
		if c := s[i]; setsOf[c]&set != 0 {
			dst = append(dst, s[from:i]...)
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
			from = i + 1
		}
	}
	return append(dst, s[from:]...)
}

func encode(s string, set encodeSet) string {
	if strings.IndexFunc(s, func(r rune) bool { return r > 0x7e || setsOf[r]&set != 0 }) < 0 {
		return s
	}
	return string(appendEncoded(nil, s, set))
}

func unhex(c byte) (digit int, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10, true
	}
	return 0, false
}

// decode replaces percent-encoded bytes; the result need not be UTF-8.
func decode(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	b := slices.Grow([]byte(s[:i]), len(s)-i)
	for ; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, ok1 := unhex(s[i+1])
			low, ok2 := unhex(s[i+2])
			if ok1 && ok2 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
