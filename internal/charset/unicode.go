package charset

import (
	"unicode/utf16"
	"unicode/utf8"
)

// decodeUTF8 is the standard's UTF-8 decoder (section 8.1.1). The text of
// valid input is the input itself.
func decodeUTF8(in Input) Output {
	b := in.Bytes
	if !in.Last {
		b = b[:len(b)-unfinished(b)]
	}
	valid := validPrefix(b)
	if valid == len(b) {
		return Output{Text: b, Read: len(b)}
	}
	if in.Fatal {
		return Output{Text: b[:valid], Read: valid, Failed: true}
	}
	return Output{Text: repair(b, valid), Read: len(b)}
}

// unfinished is how many bytes at the end of b begin a character that more
// bytes can complete.
func unfinished(b []byte) int {
	for n := 1; n <= min(len(b), utf8.UTFMax-1); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func validPrefix(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	for i := 0; ; {
		if isASCII(b[i]) {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// repair copies b, whose first valid bytes are as they should be, with U+FFFD
// for each error.
func repair(b []byte, valid int) []byte {
	text := make([]byte, 0, len(b)+len(b)/2)
	for {
		text = append(text, b[:valid]...)
		if b = b[valid:]; len(b) == 0 {
			return text
		}
		text = append(text, replacement...)
		b = b[subpart(b):]
		valid = validPrefix(b)
	}
}

// subpart is the length of the error that b begins with: a byte that begins no
// character, or the longest beginning of one.
func subpart(b []byte) int {
	n := 1
	for n < len(b) && !utf8.FullRune(b[:n+1]) {
		n++
	}
	return n
}

// utf16Decoder is the standard's shared UTF-16 decoder (section 14.4.1), by
// the places of the low and the high byte.
type utf16Decoder struct{ low, high int }

func (d utf16Decoder) unit(b []byte) rune { return rune(b[d.high])<<8 | rune(b[d.low]) }

func (d utf16Decoder) next(dst, src []byte, last bool, _ *uint32) ([]byte, int, bool) {
	if len(src) < 2 {
		return incomplete(dst, src, last)
	}
	r := d.unit(src)
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), 2, true
	}
	if r >= 0xdc00 {
		return dst, 2, false
	}
	if len(src) < 4 {
		return incomplete(dst, src, last)
	}
	r = utf16.DecodeRune(r, d.unit(src[2:]))
	if r == utf8.RuneError {
		return dst, 2, false
	}
	return utf8.AppendRune(dst, r), 4, true
}
