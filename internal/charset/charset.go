// Package charset decodes text of every encoding that the WHATWG Encoding
// Standard knows, by the standard's decoders: how many bytes an error takes,
// and what follows it, is as in browsers.
//
// A decoder keeps nothing between two calls but a number, which its caller
// holds: so a decoding in progress can be written into a heap image. What a
// call leaves undecoded, a few bytes at most, the caller passes again before
// those that come next.
//
// The tables of the legacy encodings are golang.org/x/text's. Byte order marks
// are text to this package.
package charset

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"
)

// Encoding is one of the standard's.
type Encoding struct {
	Name string // as TextDecoder's attribute encoding has it
	new  func() decoder
}

// Input is what one call decodes.
type Input struct {
	Bytes []byte
	Last  bool   // no more bytes follow
	Fatal bool   // an error ends the decoding; else it is U+FFFD in the text
	State uint32 // 0 at the beginning, then what the call before gave
}

// Output is the text of the first Read bytes of an Input.
type Output struct {
	Text   []byte // UTF-8
	Read   int
	State  uint32
	Failed bool // there was an error, and Fatal was set
}

// decoder appends the text of the first size bytes of src to dst: of at least
// one, or none when the character in src is incomplete and more may follow. It
// reports false for an error. Its src is not empty.
type decoder interface {
	next(dst, src []byte, last bool, state *uint32) (text []byte, size int, ok bool)
}

const replacement = "\ufffd"

// Decode decodes all of in but an incomplete character at its end, and all
// when it is the last.
func (e *Encoding) Decode(in Input) Output {
	if e.new == nil {
		return decodeUTF8(in)
	}
	d, out := e.new(), Output{State: in.State, Text: make([]byte, 0, len(in.Bytes)+len(in.Bytes)/2)}
	for out.Read < len(in.Bytes) {
		text, size, ok := d.next(out.Text, in.Bytes[out.Read:], in.Last, &out.State)
		if size == 0 {
			break
		}
		if !ok && in.Fatal {
			out.Failed = true
			break
		}
		if !ok {
			text = append(out.Text, replacement...)
		}
		out.Text = text
		out.Read += size
	}
	return out
}

// All are the encodings that can be decoded; "replacement" cannot.
var All = []*Encoding{
	{"utf-8", nil},
	{"utf-16le", func() decoder { return utf16Decoder{0, 1} }},
	{"utf-16be", func() decoder { return utf16Decoder{1, 0} }},
	{"gbk", newGB18030},
	{"gb18030", newGB18030},
	{"big5", func() decoder { return big5{newTable(traditionalchinese.Big5)} }},
	{"euc-jp", func() decoder { return eucJP{newTable(japanese.EUCJP)} }},
	{"iso-2022-jp", func() decoder { return iso2022JP{newTable(japanese.EUCJP)} }},
	{"shift_jis", func() decoder { return shiftJIS{newTable(japanese.ShiftJIS)} }},
	{"euc-kr", func() decoder { return eucKR{newTable(korean.EUCKR)} }},
	{"x-user-defined", single(charmap.XUserDefined)},
	{"ibm866", single(charmap.CodePage866)},
	{"iso-8859-2", single(charmap.ISO8859_2)},
	{"iso-8859-3", single(charmap.ISO8859_3)},
	{"iso-8859-4", single(charmap.ISO8859_4)},
	{"iso-8859-5", single(charmap.ISO8859_5)},
	{"iso-8859-6", single(charmap.ISO8859_6)},
	{"iso-8859-7", single(charmap.ISO8859_7)},
	{"iso-8859-8", single(charmap.ISO8859_8)},
	{"iso-8859-8-i", single(charmap.ISO8859_8)},
	{"iso-8859-10", single(charmap.ISO8859_10)},
	{"iso-8859-13", single(charmap.ISO8859_13)},
	{"iso-8859-14", single(charmap.ISO8859_14)},
	{"iso-8859-15", single(charmap.ISO8859_15)},
	{"iso-8859-16", single(charmap.ISO8859_16)},
	{"koi8-r", single(charmap.KOI8R)},
	{"koi8-u", single(charmap.KOI8U)},
	{"macintosh", single(charmap.Macintosh)},
	{"windows-874", single(charmap.Windows874)},
	{"windows-1250", single(charmap.Windows1250)},
	{"windows-1251", single(charmap.Windows1251)},
	{"windows-1252", single(charmap.Windows1252)},
	{"windows-1253", single(charmap.Windows1253)},
	{"windows-1254", single(charmap.Windows1254)},
	{"windows-1255", single(charmap.Windows1255)},
	{"windows-1256", single(charmap.Windows1256)},
	{"windows-1257", single(charmap.Windows1257)},
	{"windows-1258", single(charmap.Windows1258)},
	{"x-mac-cyrillic", single(charmap.MacintoshCyrillic)},
}

// table finds a character's bytes in x/text's tables.
type table struct {
	t    transform.Transformer
	text *[8]byte
}

func newTable(e encoding.Encoding) table { return table{e.NewDecoder().Transformer, new([8]byte)} }

// find appends the character that b is, or reports false. No table but
// gb18030's, which is not asked for it, has U+FFFD.
func (t table) find(dst, b []byte) ([]byte, bool) {
	n, size, err := t.t.Transform(t.text[:], b, true)
	if err != nil || size != len(b) || n == 0 || string(t.text[:min(n, len(replacement))]) == replacement {
		return dst, false
	}
	return append(dst, t.text[:n]...), true
}

func isASCII(c byte) bool { return c < 0x80 }

func in(c, low, high byte) bool { return low <= c && c <= high }

// pair ends a character of two bytes, whose second is trail: without a
// character in the table an ASCII byte is one of its own.
func pair(dst []byte, trail byte, found bool) ([]byte, int, bool) {
	if !found && isASCII(trail) {
		return dst, 1, false
	}
	return dst, 2, found
}

// incomplete is the answer to the beginning of a character.
func incomplete(dst, src []byte, last bool) ([]byte, int, bool) {
	if last {
		return dst, len(src), false
	}
	return dst, 0, true
}
