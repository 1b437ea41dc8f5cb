package compression

import (
	"bytes"
	"io"
)

// compressor keeps what came out of the last input.
type compressor struct {
	w     io.WriteCloser
	out   bytes.Buffer
	ended bool
}

func (c *compressor) Feed(p []byte) {
	if !c.ended {
		_, _ = c.w.Write(p) // a buffer takes everything
	}
}

func (c *compressor) End() {
	if !c.ended {
		c.ended = true
		_ = c.w.Close() // the same
		c.w = nil
	}
}

func (c *compressor) Next(p []byte) (int, State, error) {
	n, _ := c.out.Read(p)
	switch {
	case c.out.Len() > 0:
		return n, Full, nil
	case c.ended:
		return n, Done, nil
	}
	return n, Hungry, nil
}

func (c *compressor) Free() {
	c.ended, c.w, c.out = true, nil, bytes.Buffer{}
}
