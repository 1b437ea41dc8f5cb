package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// gb18030 is the decoder of gb18030 and of GBK (section 10.2.1).
type gb18030 struct{ t table }

func newGB18030() decoder { return gb18030{newTable(simplifiedchinese.GB18030)} }

func (d gb18030) next(dst, src []byte, last bool, _ *uint32) ([]byte, int, bool) {
	switch c := src[0]; {
	case isASCII(c):
		return append(dst, c), 1, true
	case c == 0x80:
		return append(dst, "€"...), 1, true
	case c == 0xff:
		return dst, 1, false
	case len(src) == 1:
		return incomplete(dst, src, last)
	case in(src[1], '0', '9'):
		return d.four(dst, src, last)
	}
	dst, ok := d.t.find(dst, src[:2])
	if !ok {
		dst, ok = further(dst, src[0], src[1])
	}
	return pair(dst, src[1], ok)
}

// four is a character of four bytes, the second of which is a digit.
func (d gb18030) four(dst, src []byte, last bool) ([]byte, int, bool) {
	switch {
	case len(src) == 2:
		return incomplete(dst, src, last)
	case !in(src[2], 0x81, 0xfe):
		return dst, 1, false
	case len(src) == 3:
		return incomplete(dst, src, last)
	case !in(src[3], '0', '9'):
		return dst, 1, false
	}
	switch string(src[:4]) {
	case "\x84\x31\xa4\x37":
		return append(dst, replacement...), 4, true
	case "\x81\x35\xf4\x37":
		return append(dst, "\ue7c7"...), 4, true
	}
	dst, ok := d.t.find(dst, src[:4])
	return dst, 4, ok
}

// run is characters that follow each other: of one lead byte, with trail bytes
// from low to high, from the character first on.
type run struct {
	lead, low, high byte
	first           rune
}

// furtherRuns are characters of two bytes that the standard's index has, and
// x/text's table has not: of private use, or moved by GB 18030-2022.
var furtherRuns = []run{
	{0xa2, 0xab, 0xb0, 0xe766}, {0xa2, 0xe4, 0xe4, 0xe76d}, {0xa2, 0xef, 0xf0, 0xe76e}, {0xa2, 0xfd, 0xfe, 0xe770},
	{0xa4, 0xf4, 0xfe, 0xe772}, {0xa5, 0xf7, 0xfe, 0xe77d}, {0xa6, 0xb9, 0xc0, 0xe785}, {0xa6, 0xd9, 0xd9, 0xfe10},
	{0xa6, 0xda, 0xda, 0xfe12}, {0xa6, 0xdb, 0xdb, 0xfe11}, {0xa6, 0xdc, 0xdf, 0xfe13}, {0xa6, 0xec, 0xed, 0xfe17},
	{0xa6, 0xf3, 0xf3, 0xfe19}, {0xa6, 0xf6, 0xfe, 0xe797}, {0xa7, 0xc2, 0xd0, 0xe7a0}, {0xa7, 0xf2, 0xfe, 0xe7af},
	{0xa8, 0x96, 0xa0, 0xe7bc}, {0xa8, 0xbc, 0xbc, 0x1e3f}, {0xa8, 0xc1, 0xc4, 0xe7c9}, {0xa8, 0xea, 0xfe, 0xe7cd},
	{0xa9, 0x58, 0x58, 0xe7e2}, {0xa9, 0x5b, 0x5b, 0xe7e3}, {0xa9, 0x5d, 0x5f, 0xe7e4}, {0xa9, 0x97, 0xa3, 0xe7f4},
	{0xa9, 0xf0, 0xfe, 0xe801}, {0xd7, 0xfa, 0xfe, 0xe810}, {0xfe, 0x51, 0x53, 0xe816}, {0xfe, 0x59, 0x59, 0x9fb4},
	{0xfe, 0x61, 0x61, 0x9fb5}, {0xfe, 0x66, 0x67, 0x9fb6}, {0xfe, 0x6c, 0x6c, 0xe831}, {0xfe, 0x6d, 0x6d, 0x9fb8},
	{0xfe, 0x76, 0x76, 0xe83b}, {0xfe, 0x7e, 0x7e, 0x9fb9}, {0xfe, 0x90, 0x90, 0x9fba}, {0xfe, 0x91, 0x91, 0xe855},
	{0xfe, 0xa0, 0xa0, 0x9fbb},
}

// further appends a character that the table lacks: of furtherRuns, or of one of
// the three areas for characters of the user's own.
func further(dst []byte, lead, trail byte) ([]byte, bool) {
	switch {
	case in(lead, 0xaa, 0xaf) && in(trail, 0xa1, 0xfe):
		return own(dst, 0xe000, lead-0xaa, 94, trail-0xa1)
	case in(lead, 0xf8, 0xfe) && in(trail, 0xa1, 0xfe):
		return own(dst, 0xe234, lead-0xf8, 94, trail-0xa1)
	case in(lead, 0xa1, 0xa7) && in(trail, 0x40, 0x7e):
		return own(dst, 0xe4c6, lead-0xa1, 96, trail-0x40)
	case in(lead, 0xa1, 0xa7) && in(trail, 0x80, 0xa0):
		return own(dst, 0xe4c6, lead-0xa1, 96, trail-0x41)
	}
	for _, r := range furtherRuns {
		if r.lead == lead && in(trail, r.low, r.high) {
			return utf8.AppendRune(dst, r.first+rune(trail-r.low)), true
		}
	}
	return dst, false
}

func own(dst []byte, first rune, row byte, width rune, cell byte) ([]byte, bool) {
	return utf8.AppendRune(dst, first+rune(row)*width+rune(cell)), true
}
