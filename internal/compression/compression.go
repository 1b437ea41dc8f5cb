// Package compression compresses and decompresses data that comes piece by
// piece, in the formats of the WHATWG Compression Standard: its streams take
// what they are fed, and give what is asked of them, never more at a time than
// the caller has room for. So a small input that decompresses to gigabytes
// costs no more than its reader takes of it.
//
// A stream is for one goroutine at a time. It must be freed: a decompressor
// is a coroutine, which no collector sees.
package compression

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// State is what a stream waits for.
type State int

const (
	Hungry State = iota // input, or the end of it
	Full                // somebody to take output
	Done                // nothing: there is no more output
)

// Stream compresses or decompresses.
type Stream interface {
	// Feed gives input to a stream that is Hungry. It keeps a copy at most.
	Feed(p []byte)

	// End says that there is no more input.
	End()

	// Next puts output into p, which is not empty, and returns how much and
	// whether that was all for now. With no output the state is Hungry or Done.
	// After an error, which is about the input, nothing works any more.
	Next(p []byte) (n int, state State, err error)

	// Free ends the stream, which may have been freed before.
	Free()
}

// Errors of Next.
var (
	ErrTruncated = errors.New("the compressed data ends too early")
	ErrTrailing  = errors.New("there is something after the end of the compressed data")
	ErrCorrupt   = errors.New("the compressed data is not valid")
)

// Formats are the names of the standard's formats, by number.
var Formats = []string{"deflate", "deflate-raw", "gzip"}

const (
	formatZlib = iota
	formatRaw
	formatGzip
)

// NewCompressor compresses with the default effort, which takes about 0.8 MB.
func NewCompressor(format int) Stream {
	c := &compressor{}
	switch format {
	case formatRaw:
		c.w, _ = flate.NewWriter(&c.out, flate.DefaultCompression) // fails for levels that do not exist only
	case formatGzip:
		c.w = gzip.NewWriter(&c.out)
	default:
		c.w = zlib.NewWriter(&c.out)
	}
	return c
}

// open begins to read compressed data.
func open(format int, r flate.Reader) (io.Reader, error) {
	switch format {
	case formatRaw:
		return flate.NewReader(r), nil
	case formatGzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		z.Multistream(false) // more members are something after the end
		return z, nil
	}
	return zlib.NewReader(r)
}

// tell is one of the errors of Next for one of a decompressor's.
func tell(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return ErrTruncated
	}
	return fmt.Errorf("%w: %v", ErrCorrupt, err)
}
