package compression

import (
	"errors"
	"io"
	"iter"
	"slices"
)

// decompressor runs the standard library's reader as a coroutine, which stops
// where it has output, and where it wants input.
type decompressor struct {
	in    []byte // not read yet
	ended bool
	out   []byte
	n     int   // bytes of output in out
	over  error // why the reader has returned; io.EOF: at the end of the data

	yield  func(struct{}) bool
	resume func() (struct{}, bool)
	stop   func()
}

// NewDecompressor decompresses, which takes about 70 KB.
func NewDecompressor(format int) Stream {
	d := &decompressor{}
	d.resume, d.stop = iter.Pull(func(yield func(struct{}) bool) {
		d.yield = yield
		d.over = d.run(format)
	})
	return d
}

func (d *decompressor) run(format int) error {
	r, err := open(format, (*input)(d))
	if err != nil {
		return tell(err)
	}
	buffer := make([]byte, 16<<10)
	for {
		n, err := r.Read(buffer)
		if d.out = buffer[:n]; n > 0 && !d.yield(struct{}{}) {
			return errFreed
		}
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return tell(err)
		}
	}
}

var errFreed = errors.New("the stream was freed")

func (d *decompressor) Feed(p []byte) { d.in = append(slices.Clip(d.in), p...) }

func (d *decompressor) End() { d.ended = true }

func (d *decompressor) Next(p []byte) (int, State, error) {
	if len(d.out) == 0 && d.over == nil {
		d.resume()
	}
	switch {
	case len(d.out) > 0:
		n := copy(p, d.out)
		d.out = d.out[n:]
		return n, Full, nil
	case d.over == nil:
		return 0, Hungry, nil
	case d.over != io.EOF:
		return 0, Done, d.over
	case len(d.in) > 0:
		return 0, Done, ErrTrailing
	case d.ended:
		return 0, Done, nil
	}
	return 0, Hungry, nil
}

func (d *decompressor) Free() {
	d.stop()
	if d.over == nil {
		d.over = errFreed
	}
	d.in, d.out = nil, nil
}

// input is the decompressor as what its reader reads from: byte by byte, so
// that nothing is read beyond the end of the data.
type input decompressor

// wait returns when there is input.
func (s *input) wait() error {
	for len(s.in) == 0 {
		if s.ended {
			return io.EOF
		}
		if !s.yield(struct{}{}) {
			return errFreed
		}
	}
	return nil
}

func (s *input) Read(p []byte) (int, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *input) ReadByte() (byte, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	c := s.in[0]
	s.in = s.in[1:]
	return c, nil
}
