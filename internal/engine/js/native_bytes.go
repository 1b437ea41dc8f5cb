package js

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/charset"
)

// bytesNatives turn bytes into text and back. They keep nothing.
var bytesNatives = []nativeMember{
	{"encode", 1, nativeEncode},         // (string) → a Uint8Array of UTF-8
	{"encodeInto", 3, nativeEncodeInto}, // (string, view, Uint32Array result) → result is [code units read, bytes written]
	{"encodings", 0, nativeEncodings},   // () → the names of the encodings, by number
	{"decode", 5, nativeDecode},         // (number, view, offset, flags, Uint32Array state) → string, or undefined for an error
}

// withUTF8 calls f with the UTF-8 of string v, in memory that must not be
// written to, and in which a lone surrogate is 3 bytes, ED A0..BF xx. It
// returns thrown for want of memory.
func (e *Engine) withUTF8(v value, f func(b []byte) value) value {
	n := e.tls.Alloc(8)
	defer e.tls.Free(8)
	p := lib.XJS_ToCStringLen2(e.tls, e.ctx, n, v, 0)
	if p == 0 {
		return thrown
	}
	defer lib.XJS_FreeCString(e.tls, e.ctx, p)
	return f(bytesAt(p, uintptr(*(*lib.Tsize_t)(at(n)))))
}

// copyScalars copies as much of QuickJS's UTF-8 as dst has room for, whole
// characters only and U+FFFD for each lone surrogate. It returns how many
// UTF-16 code units it read and how many bytes it wrote.
func copyScalars(dst, src []byte) (read, written int) {
	written = len(src)
	if written > len(dst) {
		for written = len(dst); written > 0 && !utf8.RuneStart(src[written]); written-- {
		}
	}
	dst = dst[:written]
	copy(dst, src)
	for i, c := range dst {
		switch {
		case c == 0xed && dst[i+1] >= 0xa0:
			copy(dst[i:], "\ufffd")
			read++
		case c >= 0xf0:
			read += 2
		case utf8.RuneStart(c):
			read++
		}
	}
	return read, written
}

func nativeEncode(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	return e.withUTF8(argument(argv, 0), func(b []byte) value {
		return e.newArray(len(b), func(to []byte) { copyScalars(to, b) })
	})
}

func nativeEncodeInto(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	return e.withUTF8(argument(argv, 0), func(b []byte) value {
		dst, ok := e.bytesOf(argument(argv, 1))
		if !ok {
			return thrown
		}
		result, ok := e.bytesOf(argument(argv, 2))
		if !ok {
			return thrown
		}
		read, written := copyScalars(dst, b)
		setWords(result, read, written)
		return undefined
	})
}

// setWords writes numbers into a Uint32Array of at least so many.
func setWords(to []byte, numbers ...int) {
	for i, n := range numbers {
		binary.NativeEndian.PutUint32(to[4*i:], uint32(n))
	}
}

func nativeEncodings(*libc.TLS, uintptr, value, int32, uintptr) value {
	names := make([]string, len(charset.All))
	for i, e := range charset.All {
		names[i] = e.Name
	}
	return current.Load().newString(strings.Join(names, " "))
}

// What the flags of decode say.
const (
	decodeLast  = 1 << iota // no more bytes follow the view
	decodeFatal             // an error ends the decoding
)

// maxDecode is how many bytes one call decodes, so that neither its time nor
// what it takes of Go's memory grows with the view: the prelude calls again.
const maxDecode = 1 << 20

// nativeDecode decodes what is in the view from an offset on. Its state is how
// many bytes it read, the decoder's state, which goes in as well, and the view's
// length. What is no view is a TypeError.
func nativeDecode(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	encoding, offset, flags := argument(argv, 0).Fu.Fuint641, argument(argv, 2).Fu.Fuint641, argument(argv, 3).Fu.Fuint641
	state, ok := e.bytesOf(argument(argv, 4))
	if !ok {
		return thrown
	}
	// A view that is gone has no bytes (Web IDL, section 3.2.26).
	b, is := e.memory(argument(argv, 1))
	if is == memoryNone {
		return e.throwType("the input is neither an ArrayBuffer nor a view of one")
	}
	length := len(b)
	b = b[min(offset, uint64(len(b))):]
	in := charset.Input{
		Bytes: b[:min(len(b), maxDecode)], Last: flags&decodeLast != 0 && len(b) <= maxDecode,
		Fatal: flags&decodeFatal != 0, State: binary.NativeEndian.Uint32(state[4:]),
	}
	out := charset.All[encoding].Decode(in)
	setWords(state, out.Read, int(out.State), length)
	if out.Failed {
		return undefined
	}
	return e.newText(out.Text)
}

// newText is newString for UTF-8 that may lie in the guest's own memory, which
// needs no copy on its way.
func (e *Engine) newText(b []byte) value {
	if p := uintptr(unsafe.Pointer(unsafe.SliceData(b))); heapBase <= p && p < arenaEnd {
		return lib.XJS_NewStringLen(e.tls, e.ctx, p, lib.Tsize_t(len(b)))
	}
	return e.newString(unsafe.String(unsafe.SliceData(b), len(b)))
}
