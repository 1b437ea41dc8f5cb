package charset

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// singleByte is the standard's single-byte decoder (section 9.1). Its indexes
// have control characters where x/text's tables have nothing.
type singleByte struct{ m *charmap.Charmap }

func single(m *charmap.Charmap) func() decoder { return func() decoder { return singleByte{m} } }

func (d singleByte) next(dst, src []byte, _ bool, _ *uint32) ([]byte, int, bool) {
	c := src[0]
	r := d.m.DecodeByte(c)
	if r == utf8.RuneError && in(c, 0x80, 0x9f) {
		r = rune(c)
	}
	return utf8.AppendRune(dst, r), 1, r != utf8.RuneError
}

// big5 is section 12.1.1.
type big5 struct{ t table }

func (d big5) next(dst, src []byte, last bool, _ *uint32) ([]byte, int, bool) {
	switch c := src[0]; {
	case isASCII(c):
		return append(dst, c), 1, true
	case !in(c, 0x81, 0xfe):
		return dst, 1, false
	case len(src) == 1:
		return incomplete(dst, src, last)
	}
	dst, ok := d.t.find(dst, src[:2])
	return pair(dst, src[1], ok)
}

// eucKR is section 13.1.1.
type eucKR struct{ t table }

func (d eucKR) next(dst, src []byte, last bool, state *uint32) ([]byte, int, bool) {
	return big5(d).next(dst, src, last, state) // it has the same shape
}
