package js

import (
	"strings"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/compression"
)

// compressionNatives compress and decompress. A stream's state is Go's, under a
// number that the prelude chose and uses once: in a program that was restored
// from an image, the numbers of streams that were open are unknown, and stay
// so. All but the first two return undefined for such a number.
var compressionNatives = []nativeMember{
	{"codecFormats", 0, nativeCodecFormats}, // () → the names of the formats, by number
	{"openCodec", 3, nativeOpenCodec},       // (number, format, decompress) → whether there was room
	{"feedCodec", 3, nativeFeedCodec},       // (number, view, offset) → how many bytes it took
	{"endCodec", 1, nativeEndCodec},         // (number) → true
	{"nextCodec", 1, nativeNextCodec},       // (number) → Uint8Array, or false: it wants input, or true: there is no more
	{"freeCodec", 1, nativeFreeCodec},       // (number) → undefined
	{"collect", 0, nativeCollect},           // () collects what nothing refers to
}

const (
	// So much goes in and comes out at a time, in bytes: that bounds the time
	// of one call, and what it takes of Go's memory.
	codecPiece = 1 << 16

	// How much of Go's memory the open streams may take, in units of what a
	// decompressor takes, about 70 KB: 16 compressors, or 192 decompressors.
	maxCodecs, compressorWeight = 192, 12
)

// codec is an open stream.
type codec struct {
	compression.Stream
	weight int
}

// codecs are the open streams by number.
type codecs struct {
	byID   map[uint64]codec
	weight int
	piece  []byte // output, between a stream and the guest
}

func (c *codecs) open(id uint64, weight int, begin func() compression.Stream) bool {
	if c.weight+weight > maxCodecs {
		return false
	}
	if c.byID == nil {
		c.byID, c.piece = map[uint64]codec{}, make([]byte, codecPiece)
	}
	c.byID[id] = codec{begin(), weight}
	c.weight += weight
	return true
}

func (c *codecs) free(id uint64) {
	if s, ok := c.byID[id]; ok {
		s.Free()
		c.weight -= s.weight
		delete(c.byID, id)
	}
}

func (c *codecs) freeAll() {
	for id := range c.byID {
		c.free(id)
	}
}

// codecOf is the engine, and the open stream that the first argument names.
func codecOf(argv uintptr) (*Engine, compression.Stream, bool) {
	e := current.Load()
	s, ok := e.codecs.byID[argument(argv, 0).Fu.Fuint641]
	return e, s.Stream, ok
}

func nativeCodecFormats(*libc.TLS, uintptr, value, int32, uintptr) value {
	return current.Load().newString(strings.Join(compression.Formats, " "))
}

func nativeOpenCodec(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	id, format := argument(argv, 0).Fu.Fuint641, int(argument(argv, 1).Fu.Fuint641)
	if argument(argv, 2).Fu.Fuint641 != 0 {
		return boolean(e.codecs.open(id, 1, func() compression.Stream { return compression.NewDecompressor(format) }))
	}
	return boolean(e.codecs.open(id, compressorWeight, func() compression.Stream { return compression.NewCompressor(format) }))
}

func nativeFeedCodec(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e, s, ok := codecOf(argv)
	if !ok {
		return undefined
	}
	b, ok := e.bytesOf(argument(argv, 1))
	if !ok {
		return thrown
	}
	b = b[min(argument(argv, 2).Fu.Fuint641, uint64(len(b))):]
	b = b[:min(len(b), codecPiece)]
	s.Feed(b)
	return integer(int32(len(b)))
}

func nativeEndCodec(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	_, s, ok := codecOf(argv)
	if !ok {
		return undefined
	}
	s.End()
	return boolean(true)
}

func nativeNextCodec(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e, s, ok := codecOf(argv)
	if !ok {
		return undefined
	}
	n, state, err := s.Next(e.codecs.piece)
	switch {
	case err != nil:
		return e.throwType(err.Error())
	case n > 0:
		return e.newBytes(e.codecs.piece[:n])
	}
	return boolean(state == compression.Done)
}

func nativeFreeCodec(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	current.Load().codecs.free(argument(argv, 0).Fu.Fuint641)
	return undefined
}

func nativeCollect(*libc.TLS, uintptr, value, int32, uintptr) value {
	lib.XJS_RunGC(current.Load().tls, theRoot().runtime)
	return undefined
}
