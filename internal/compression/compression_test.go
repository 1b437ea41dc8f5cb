package compression

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// pass sends input through a stream, in pieces of so many bytes, and takes the
// output by so many.
func pass(s Stream, input []byte, piece, room int) ([]byte, error) {
	defer s.Free()
	var output []byte
	p := make([]byte, room)
	for {
		n, state, err := s.Next(p)
		output = append(output, p[:n]...)
		switch {
		case err != nil:
			return output, err
		case state == Done:
			return output, nil
		case state == Full:
		case len(input) == 0:
			s.End()
		default:
			n := min(piece, len(input))
			s.Feed(input[:n])
			input = input[n:]
		}
	}
}

func mustPass(t testing.TB, s Stream, input []byte) []byte {
	t.Helper()
	output, err := pass(s, input, 1<<16, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func TestRoundTrip(t *testing.T) {
	inputs := map[string][]byte{
		"empty": nil, "text": []byte("a, b and c"), "zeros": make([]byte, 1<<17), "noise": noise(50_000),
	}
	for name, input := range inputs {
		for format, f := range Formats {
			for _, piece := range []int{1, 7, 1000, 1 << 16} {
				if piece < 1000 && len(input) > 100 && name != "zeros" {
					continue
				}
				packed, err := pass(NewCompressor(format), input, max(piece, 1000), piece)
				if err != nil {
					t.Fatalf("%s of %s: %v", f, name, err)
				}
				output, err := pass(NewDecompressor(format), packed, piece, 1<<12)
				if err != nil || !bytes.Equal(output, input) {
					t.Errorf("%s of %s by %d: %d bytes and %v, want %d", f, name, piece, len(output), err, len(input))
				}
			}
		}
	}
}

// A small input that becomes large comes out no faster than it is taken.
func TestBombIsTakenByPieces(t *testing.T) {
	bomb := mustPass(t, NewCompressor(formatRaw), make([]byte, 16<<20))
	d := NewDecompressor(formatRaw)
	defer d.Free()
	d.Feed(bomb)
	p := make([]byte, 1000)
	for range 100 {
		if n, state, err := d.Next(p); n == 0 || n > len(p) || state != Full || err != nil {
			t.Fatalf("got %d bytes, state %d, %v", n, state, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	packed := make([][]byte, len(Formats))
	for i := range packed {
		packed[i] = mustPass(t, NewCompressor(i), []byte(strings.Repeat("some text ", 50)))
	}
	change := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0x55
		return b
	}
	zlib, raw, gzip := packed[formatZlib], packed[formatRaw], packed[formatGzip]
	for _, c := range []struct {
		name   string
		format int
		input  []byte
		want   error
	}{
		{"nothing", formatGzip, nil, ErrTruncated},
		{"nothing", formatRaw, nil, ErrTruncated},
		{"nothing", formatZlib, nil, ErrTruncated},
		{"half a header", formatGzip, gzip[:5], ErrTruncated},
		{"no checksum", formatGzip, gzip[:len(gzip)-3], ErrTruncated},
		{"no checksum", formatZlib, zlib[:len(zlib)-1], ErrTruncated},
		{"half the data", formatRaw, raw[:len(raw)-2], ErrTruncated},
		{"another magic", formatGzip, change(gzip, 0), ErrCorrupt},
		{"another checksum", formatGzip, change(gzip, len(gzip)-6), ErrCorrupt},
		{"another size", formatGzip, change(gzip, len(gzip)-1), ErrCorrupt},
		{"another checksum", formatZlib, change(zlib, len(zlib)-1), ErrCorrupt},
		{"a reserved block", formatRaw, []byte{0x07}, ErrCorrupt},
		{"one byte more", formatGzip, append(bytes.Clone(gzip), 0), ErrTrailing},
		{"two members", formatGzip, append(bytes.Clone(gzip), gzip...), ErrTrailing},
		{"one byte more", formatRaw, append(bytes.Clone(raw), 0), ErrTrailing},
		{"one byte more", formatZlib, append(bytes.Clone(zlib), 0), ErrTrailing},
	} {
		for _, piece := range []int{1, 1 << 16} {
			if _, err := pass(NewDecompressor(c.format), c.input, piece, 100); !errors.Is(err, c.want) {
				t.Errorf("%s, %s by %d: got %v, want %v", Formats[c.format], c.name, piece, err, c.want)
			}
		}
	}
}

func TestFreed(t *testing.T) {
	for _, s := range []Stream{NewCompressor(formatGzip), NewDecompressor(formatGzip)} {
		s.Next(make([]byte, 10)) // the decompressor waits for input
		s.Free()
		s.Free()
		s.Feed([]byte("x"))
		s.End()
		if n, _, _ := s.Next(make([]byte, 10)); n != 0 {
			t.Errorf("%T: %d bytes of a stream that was freed", s, n)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	for format := range Formats {
		f.Add(format, mustPass(f, NewCompressor(format), []byte("text, text and text")), 3)
	}
	f.Fuzz(func(t *testing.T, format int, input []byte, piece int) {
		format = int(uint(format) % uint(len(Formats)))
		d := NewDecompressor(format)
		defer d.Free()
		p := make([]byte, 100)
		for taken := 0; taken < 1<<20; {
			n, state, err := d.Next(p)
			taken += n
			switch {
			case err != nil || state == Done:
				return
			case state == Full && n == 0:
				t.Fatal("no output")
			case state == Hungry && len(input) == 0:
				d.End()
			case state == Hungry:
				n := min(max(piece, 1), len(input))
				d.Feed(input[:n])
				input = input[n:]
			}
		}
	})
}
