package charset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"
)

func get(t testing.TB, name string) *Encoding {
	t.Helper()
	for _, e := range All {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// decode decodes all of b, so many bytes at a time.
func decode(e *Encoding, b []byte, piece int, fatal bool) (text string, ok bool) {
	var rest []byte
	var state uint32
	for {
		n := min(piece, len(b))
		in := Input{Bytes: append(rest, b[:n]...), Last: n == len(b), Fatal: fatal, State: state}
		b = b[n:]
		out := e.Decode(in)
		text += string(out.Text)
		if out.Failed || in.Last {
			return text, !out.Failed && out.Read == len(in.Bytes)
		}
		rest, state = in.Bytes[out.Read:], out.State
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ encoding, bytes, want string }{
		{"utf-8", "a\u00e9\u20ac\U0001f600", "aé€😀"},
		{"utf-8", "\xef\xbb\xbfa", "\ufeffa"},
		{"utf-8", "\xc0\x80", "\ufffd\ufffd"},
		{"utf-8", "\xe2\x82a", "\ufffda"},
		{"utf-8", "\xe2\x82", "\ufffd"},
		{"utf-8", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"utf-8", "\xf0\x9f\x98\xf0\x9f\x98\x80", "\ufffd😀"},
		{"utf-8", "\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"utf-16le", "a\x00\x3d\xd8\x00\xde", "a😀"},
		{"utf-16be", "\x00a\xd8\x3d\xde\x00", "a😀"},
		{"utf-16le", "\x3d\xd8a\x00", "\ufffda"},
		{"utf-16le", "\x00\xde", "\ufffd"},
		{"utf-16le", "a\x00\x3d\xd8\x00", "a\ufffd"},
		{"windows-1252", "\x80\x81\xe9", "€\u0081é"},
		{"iso-8859-8-i", "\xe0", "א"},
		{"windows-874", "\xdb", "\ufffd"},
		{"x-user-defined", "a\x80\xff", "a\uf780\uf7ff"},
		{"gbk", "\xd6\xd0\x80", "中€"},
		{"gbk", "\x81\x20", "\ufffd "},
		{"gb18030", "\x94\x39\xfc\x36", "😀"},
		{"gb18030", "\x84\x31\xa4\x37", "\ufffd"},
		{"gb18030", "\x81\x30\x81a", "\ufffd0乤"},
		{"gb18030", "\x81\x30\x81", "\ufffd"},
		{"gb18030", "\xff", "\ufffd"},
		{"big5", "\xa4\xa4\x88\x62", "中\u00ca\u0304"},
		{"big5", "\x80\x81\x41", "\ufffd\ufffdA"},
		{"shift_jis", "\x93\xfa\xb1\x80\xf0\x40", "日ｱ\u0080\ue000"},
		{"shift_jis", "\x81\x20", "\ufffd "},
		{"euc-jp", "\xc6\xfc\x8e\xb1\x8f\xb0\xa1", "日ｱ丂"},
		{"euc-jp", "\x8f\xa1a", "\ufffda"},
		{"iso-2022-jp", "\x1b$B\x46\x7c\x1b(J\\\x1b(I\x31\x1b(Bz", "日¥ｱz"},
		{"iso-2022-jp", "\x1b(B\x1b(B", "\ufffd"},
		{"iso-2022-jp", "\x1b$B\x46\x1b(Ba", "\ufffda"},
		{"iso-2022-jp", "\x1bxa\x1b", "\ufffdxa\ufffd"},
		{"euc-kr", "\xb0\xa1\xc7", "가\ufffd"},
	} {
		for _, piece := range []int{1, 2, 3, 100} {
			got, ok := decode(get(t, c.encoding), []byte(c.bytes), piece, false)
			if got != c.want || !ok {
				t.Errorf("%s %q by %d: got %q, want %q", c.encoding, c.bytes, piece, got, c.want)
			}
		}
		_, ok := decode(get(t, c.encoding), []byte(c.bytes), 100, true)
		if want := !strings.Contains(c.want, replacement) || c.bytes == "\x84\x31\xa4\x37"; ok != want {
			t.Errorf("%s %q: fatal decoding is %v, want %v", c.encoding, c.bytes, ok, want)
		}
	}
}

// every is all inputs of one byte, and where an encoding has longer characters
// those of two, and many of three and four bytes, each decoded on its own.
func every(e *Encoding) string {
	h := sha256.New()
	add := func(b ...byte) {
		h.Write(e.Decode(Input{Bytes: b, Last: true}).Text)
		h.Write([]byte{0})
	}
	single := strings.HasPrefix(e.Name, "windows") || strings.HasPrefix(e.Name, "iso-8859")
	for a := range 256 {
		add(byte(a))
		for b := 0; b < 256 && !single; b++ {
			add(byte(a), byte(b))
		}
	}
	for a := 0xa1; a < 0xff && !single; a++ {
		for b := 0xa1; b < 0xff; b++ {
			add(0x8f, byte(a), byte(b))
			add(0x1b, '$', 'B', byte(a&0x7f), byte(b&0x7f))
		}
	}
	for p := 0; p < 0xfe-0x81 && e.Name == "gb18030"; p++ {
		for q := 0x81; q < 0xff; q++ {
			add(byte(p+0x81), '0', byte(q), '5')
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// The sums are of output that agreed with the standard's indexes, of May 2026,
// in every character.
func TestTables(t *testing.T) {
	sums := map[string]string{
		"utf-8": "2e97574222efbc15", "utf-16le": "5fca426f80e099d3", "utf-16be": "ebcb53be4611d6bc",
		"gbk": "e3a4d8a21f79e452", "gb18030": "663015632002dedd", "big5": "182870356157dfb9",
		"euc-jp": "5dd2633402dae557", "iso-2022-jp": "d39fc8cf60b45874", "shift_jis": "98599568ff59e8f3",
		"euc-kr": "8f06a9c5c05b4ef2", "x-user-defined": "d3e25142a44643ab", "ibm866": "2b3bbb7cc15a7a5a",
		"iso-8859-2": "22269412760e8f7d", "iso-8859-3": "eb3b90f1637c2a54", "iso-8859-4": "01d58e4e0413ad12",
		"iso-8859-5": "cfb8d9bdc6598584", "iso-8859-6": "1b0e87b5d3f1b0b7", "iso-8859-7": "4e39ebb3ce6ff60d",
		"iso-8859-8": "f73792c87704995a", "iso-8859-8-i": "f73792c87704995a", "iso-8859-10": "23d572ccc7ebe8e2",
		"iso-8859-13": "f0f34c2c32ba683a", "iso-8859-14": "955f4a7b10f1165c", "iso-8859-15": "973794e8ac072ebd",
		"iso-8859-16": "ef1718f7c26d2673", "koi8-r": "4e88f1b75c133564", "koi8-u": "31f076b4ac703499",
		"macintosh": "fabc8835546c7759", "windows-874": "7e41437a812501cd", "windows-1250": "19a379759467c59d",
		"windows-1251": "9fca45a8f09f1433", "windows-1252": "4a4c33730cdbf820", "windows-1253": "9919a5577f538461",
		"windows-1254": "3479a716f4cf2718", "windows-1255": "ec2597ccbc967d80", "windows-1256": "1266b9de27a411da",
		"windows-1257": "f2a044127f09a2fb", "windows-1258": "19cee5226a64fda2", "x-mac-cyrillic": "9713dd79b6652ed8",
	}
	for _, e := range All {
		if got, want := every(e), sums[e.Name]; got != want {
			t.Errorf("%s: got %s, want %s", e.Name, got, want)
		}
	}
}

func TestUTF8KeepsItsInput(t *testing.T) {
	b := []byte("valid €")
	if out := get(t, "utf-8").Decode(Input{Bytes: b}); &out.Text[0] != &b[0] {
		t.Error("valid text was copied")
	}
}

func FuzzDecode(f *testing.F) {
	for i := range All {
		f.Add(i, []byte("a\x1b$B\x46\x7c\x81\x30\x81\x30\xe2\x82\xac\xff"), 2)
	}
	f.Fuzz(func(t *testing.T, i int, b []byte, piece int) {
		e := All[uint(i)%uint(len(All))]
		whole, ok := decode(e, b, len(b)+1, false)
		if !ok || !utf8.ValidString(whole) {
			t.Fatalf("%s: %q", e.Name, whole)
		}
		if pieces, _ := decode(e, bytes.Clone(b), max(piece, 1), false); pieces != whole {
			t.Fatalf("%s by %d: %q, and whole %q", e.Name, piece, pieces, whole)
		}
		text, ok := decode(e, b, len(b)+1, true)
		if ok && text != whole || !strings.HasPrefix(whole, text) {
			t.Fatalf("%s: fatal decoding gives %q, the other %q", e.Name, text, whole)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, text := range map[string]string{"utf-8": "text, größer", "windows-1252": "gr\xf6\xdfer als", "shift_jis": "\x93\xfa\x96\x7b\x8c\xea"} {
		b.Run(name, func(b *testing.B) {
			in := Input{Bytes: bytes.Repeat([]byte(text), 1<<12), Last: true}
			b.SetBytes(int64(len(in.Bytes)))
			for b.Loop() {
				get(b, name).Decode(in)
			}
		})
	}
}
