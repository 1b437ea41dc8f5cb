package charset

import "unicode/utf8"

// iso2022JP is the standard's decoder of ISO-2022-JP. Its state is which set
// the bytes are of, and whether the last that came was an escape sequence.
type iso2022JP struct{ t table }

const (
	setASCII uint32 = iota
	setRoman
	setKatakana
	set0208
	setMask = 0xf
	escaped = 0x10 // an escape sequence came, and no character since
)

const escape = 0x1b

func (d iso2022JP) next(dst, src []byte, last bool, state *uint32) ([]byte, int, bool) {
	if src[0] == escape {
		return d.escape(dst, src, last, state)
	}
	*state &^= escaped
	switch c := src[0]; *state & setMask {
	case setKatakana:
		if in(c, 0x21, 0x5f) {
			return katakana(dst, c-0x21), 1, true
		}
	case set0208:
		if in(c, 0x21, 0x7e) {
			return d.double(dst, src, last)
		}
	default:
		if isASCII(c) && c != 0x0e && c != 0x0f {
			return utf8.AppendRune(dst, romanOf(c, *state)), 1, true
		}
	}
	return dst, 1, false
}

// romanOf is an ASCII character, or what JIS X 0201 has in its place.
func romanOf(c byte, state uint32) rune {
	switch {
	case state&setMask == setRoman && c == '\\':
		return '¥'
	case state&setMask == setRoman && c == '~':
		return '‾'
	}
	return rune(c)
}

func (d iso2022JP) double(dst, src []byte, last bool) ([]byte, int, bool) {
	switch {
	case len(src) == 1:
		return incomplete(dst, src, last)
	case src[1] == escape:
		return dst, 1, false
	case !in(src[1], 0x21, 0x7e):
		return dst, 2, false
	}
	euc := [2]byte{src[0] | 0x80, src[1] | 0x80}
	dst, ok := d.t.find(dst, euc[:])
	return dst, 2, ok
}

// setOf is the set that the two bytes after an escape select.
func setOf(b string) (set uint32, ok bool) {
	switch b {
	case "(B":
		return setASCII, true
	case "(J":
		return setRoman, true
	case "(I":
		return setKatakana, true
	case "$@", "$B":
		return set0208, true
	}
	return 0, false
}

// escape changes the set. Two sequences without a character between them are
// an error, which hides nothing between them.
func (d iso2022JP) escape(dst, src []byte, last bool, state *uint32) ([]byte, int, bool) {
	if begins := len(src) == 1 || len(src) == 2 && (src[1] == '(' || src[1] == '$'); begins && !last {
		return dst, 0, true
	}
	if len(src) >= 3 {
		if set, ok := setOf(string(src[1:3])); ok {
			again := *state&escaped != 0
			*state = set | escaped
			return dst, 3, !again
		}
	}
	*state &^= escaped
	return dst, 1, false
}
