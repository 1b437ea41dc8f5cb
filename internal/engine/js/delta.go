package js

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// The image of a program, ready or instance, is what differs from the heap image
// of the prelude: header, table of spans, state, and the pages of the spans, one
// behind the other, from a page boundary to the file's end.
//
//	offset size
//	     0    8  magic "mpjsprog"
//	     8    4  format version
//	    12    4  kind
//	    16  128  who can use it, as in the heap image's header: addresses,
//	             architecture, build ID
//	   144    4  CRC-32C of the heap image that it lies over
//	   148    4  number of heap pages
//	   152   32  digest of the package
//	   184    4  number of spans
//	   188    4  length of the state
//	   192    8  FNV-1a of the 192 bytes before, the spans and the state
//	   200       spans: 4 bytes number of the first page, 4 bytes how many
//	             state: JSON, see state; zeros up to the next page
//
// Pages are numbered from the arena's address. The spans are in ascending order,
// do not overlap, and cover nothing but the root page, which comes first, page
// descriptors, and heap pages below the number of heap pages.
//
// What is in the pages is not checked: whoever wrote the image could run code in
// this worker anyway, and worse than any page is what the program itself may do.
// That nobody else wrote it is for the supervisor to see to, which seals images.
const (
	deltaMagic   = "mpjsprog"
	deltaVersion = 1
	deltaHeader  = 200
	maxSpans     = 1 << 17
	maxState     = 1 << 20
)

// delta is an image's header, table and state.
type delta struct {
	kind   ImageKind
	base   uint32 // checksum of the heap image
	pages  uint32 // of the heap
	digest [32]byte
	spans  []span
	state  state
}

// state is what an image holds beside the heap.
type state struct {
	App     string  `json:"app"`
	Entry   string  `json:"entry"`
	Stack   int64   `json:"stack"`   // Program.Stack, which decides where a recursion ends
	Origin  int64   `json:"origin"`  // the program's start, microseconds since 1970
	Elapsed float64 `json:"elapsed"` // milliseconds since then
	Lines   []line  `json:"lines,omitempty"`
}

// line is one console line of a ready program's evaluation.
type line struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

func (d *delta) marshal() ([]byte, error) {
	id, err := identity()
	if err != nil {
		return nil, err
	}
	state, err := json.Marshal(d.state)
	if err != nil {
		return nil, err
	}
	if len(d.spans) > maxSpans || len(state) > maxState {
		return nil, fmt.Errorf("%d runs of pages and %d bytes of state are too many", len(d.spans), len(state))
	}
	b := append(make([]byte, 0, deltaHeader+len(d.spans)*spanSize+len(state)+pageSize), deltaMagic...)
	le := binary.LittleEndian
	b = le.AppendUint32(b, deltaVersion)
	b = le.AppendUint32(b, uint32(d.kind))
	b = append(b, id...)
	b = le.AppendUint32(b, d.base)
	b = le.AppendUint32(b, d.pages)
	b = append(b, d.digest[:]...)
	b = le.AppendUint32(b, uint32(len(d.spans)))
	b = le.AppendUint32(b, uint32(len(state)))
	b = b[:deltaHeader]
	for _, s := range d.spans {
		b = le.AppendUint32(le.AppendUint32(b, s.page), s.count)
	}
	b = append(b, state...)
	le.PutUint64(b[192:], deltaSum(b))
	return b[:roundUp(len(b))], nil
}

// deltaSum is over everything but itself.
func deltaSum(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b[:192])
	h.Write(b[deltaHeader:])
	return h.Sum64()
}

// roundUp is n rounded up to whole pages.
func roundUp(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }

// unmarshalHeader reads the fixed part. It returns how long the whole is.
func (d *delta) unmarshalHeader(b []byte) (length int, err error) {
	le := binary.LittleEndian
	switch {
	case len(b) < deltaHeader || string(b[:8]) != deltaMagic:
		return 0, errors.New("not the image of a program")
	case le.Uint32(b[8:]) != deltaVersion:
		return 0, errors.New("the image's format version differs")
	}
	if err := checkIdentity(b[16:144]); err != nil {
		return 0, err
	}
	d.kind = ImageKind(min(le.Uint32(b[12:]), 255))
	if d.kind != ReadyImage && d.kind != InstanceImage {
		return 0, errors.New("there is no such kind of image")
	}
	d.base, d.pages = le.Uint32(b[144:]), le.Uint32(b[148:])
	copy(d.digest[:], b[152:])
	spans, state := le.Uint32(b[184:]), le.Uint32(b[188:])
	if d.pages > maxPages || spans > maxSpans || state > maxState {
		return 0, errSize
	}
	return deltaHeader + int(spans)*spanSize + int(state), nil
}

var errSize = errors.New("the image's size is wrong")

// unmarshal reads the whole, of which unmarshalHeader has read its part.
func (d *delta) unmarshal(b []byte) error {
	le := binary.LittleEndian
	if le.Uint64(b[192:]) != deltaSum(b) {
		return errors.New("the image is damaged")
	}
	d.spans = make([]span, le.Uint32(b[184:]))
	b = b[deltaHeader:]
	for i := range d.spans {
		d.spans[i] = span{le.Uint32(b), le.Uint32(b[4:])}
		b = b[spanSize:]
	}
	if err := json.Unmarshal(b, &d.state); err != nil {
		return errors.New("the image's state is not readable")
	}
	return nil
}

// check reports why d does not fit over the base for program p.
func (d *delta) check(b *base, p *engine.Program) error {
	switch {
	case d.base != b.header.sum:
		return errors.New("the image was made over another prelude")
	case d.digest != p.Digest:
		return errors.New("the image is of another package")
	case d.state.App != p.AppID || d.state.Entry != p.Entry:
		return errors.New("the image is of another program")
	case d.kind == ReadyImage && d.state.Stack != stackOf(p):
		return errors.New("the image was made with another stack")
	}
	return checkSpans(d.spans, b.metaEnd(d.pages), d.pages)
}

var errSpans = errors.New("the image's pages lie where none can be")

// checkSpans holds the table to what the format says of it.
func checkSpans(spans []span, metaEnd, pages uint32) error {
	if len(spans) == 0 || spans[0].page != 0 {
		return errSpans
	}
	next := uint64(0)
	for _, s := range spans {
		end := uint64(s.page) + uint64(s.count)
		low := end <= uint64(metaEnd)
		high := s.page >= heapPage && end <= uint64(heapPage)+uint64(pages)
		if s.count == 0 || uint64(s.page) < next || !low && !high {
			return errSpans
		}
		next = end
	}
	return nil
}

// readDelta reads everything but the pages, which begin at offset.
func readDelta(f *os.File) (d *delta, offset int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	first := make([]byte, deltaHeader)
	if n, err := f.ReadAt(first, 0); err != nil && n == 0 {
		return nil, 0, errors.New("the image is empty")
	} else {
		first = first[:n]
	}
	d = new(delta)
	length, err := d.unmarshalHeader(first)
	if err != nil {
		return nil, 0, err
	}
	if int64(length) > st.Size() {
		return nil, 0, errSize
	}
	b := make([]byte, length)
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, 0, fmt.Errorf("cannot read the image: %w", err)
	}
	if err := d.unmarshal(b); err != nil {
		return nil, 0, err
	}
	offset = int64(roundUp(length))
	if st.Size() != offset+d.count()*pageSize {
		return nil, 0, errSize
	}
	return d, offset, nil
}

// count is the number of pages in the spans.
func (d *delta) count() (n int64) {
	for _, s := range d.spans {
		n += int64(s.count)
	}
	return n
}
