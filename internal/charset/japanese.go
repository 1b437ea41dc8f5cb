package charset

import "unicode/utf8"

// katakana appends the half-width letter number n.
func katakana(dst []byte, n byte) []byte { return utf8.AppendRune(dst, 0xff61+rune(n)) }

// eucJP is the standard's EUC-JP decoder.
type eucJP struct{ t table }

func (d eucJP) next(dst, src []byte, last bool, _ *uint32) ([]byte, int, bool) {
	c := src[0]
	switch {
	case isASCII(c):
		return append(dst, c), 1, true
	case c != 0x8e && c != 0x8f && !in(c, 0xa1, 0xfe):
		return dst, 1, false
	case len(src) == 1:
		return incomplete(dst, src, last)
	case c == 0x8e && in(src[1], 0xa1, 0xdf):
		return katakana(dst, src[1]-0xa1), 2, true
	case c == 0x8f && in(src[1], 0xa1, 0xfe):
		return d.three(dst, src, last)
	case c < 0xa1 || !in(src[1], 0xa1, 0xfe):
		return pair(dst, src[1], false)
	}
	dst, ok := d.t.find(dst, src[:2])
	return pair(dst, src[1], ok)
}

// three is a character of JIS X 0212.
func (d eucJP) three(dst, src []byte, last bool) ([]byte, int, bool) {
	switch {
	case len(src) == 2:
		return incomplete(dst, src, last)
	case isASCII(src[2]):
		return dst, 2, false
	case !in(src[2], 0xa1, 0xfe):
		return dst, 3, false
	}
	dst, ok := d.t.find(dst, src[:3])
	return dst, 3, ok
}

// shiftJIS is the standard's Shift_JIS decoder.
type shiftJIS struct{ t table }

func (d shiftJIS) next(dst, src []byte, last bool, _ *uint32) ([]byte, int, bool) {
	switch c := src[0]; {
	case c <= 0x80:
		return utf8.AppendRune(dst, rune(c)), 1, true
	case in(c, 0xa1, 0xdf):
		return katakana(dst, c-0xa1), 1, true
	case c == 0xa0 || c > 0xfc:
		return dst, 1, false
	case len(src) == 1:
		return incomplete(dst, src, last)
	}
	dst, ok := d.two(dst, src[:2])
	return pair(dst, src[1], ok)
}

// two is a character of two bytes. Those that Windows gives to characters of
// the user's own are in no table: leads from 0xf0 to 0xf9, 188 to each.
func (d shiftJIS) two(dst, b []byte) ([]byte, bool) {
	lead, trail := b[0], b[1]
	if !in(trail, 0x40, 0xfc) || trail == 0x7f {
		return dst, false
	}
	if !in(lead, 0xf0, 0xf9) {
		return d.t.find(dst, b)
	}
	cell := rune(trail) - 0x40
	if trail > 0x7f {
		cell--
	}
	return utf8.AppendRune(dst, 0xe000+rune(lead-0xf0)*188+cell), true
}
