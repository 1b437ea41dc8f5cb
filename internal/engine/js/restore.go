package js

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// longSpan is the number of pages from which on a span is mapped, which costs
// memory for those of them alone that are written to. A shorter one is read: a
// mapping more costs more than its pages.
const longSpan = 4

// image is an image that has been found to fit.
type image struct {
	*delta
	file   *os.File
	offset int64 // of the pages
}

// openImage checks p's image without changing anything. Without an image it
// returns nil and no error.
func (e *Engine) openImage(p *engine.Program) (*image, error) {
	if p.Image == nil {
		return nil, nil
	}
	if e.base == nil {
		return nil, errors.New("the prelude was not mapped from its image")
	}
	d, offset, err := readDelta(p.Image)
	if err != nil {
		return nil, err
	}
	if err := d.check(e.base, p); err != nil {
		return nil, err
	}
	i := &image{d, p.Image, offset}
	return i, i.checkRoot()
}

// checkRoot reports why the image's root page is not that of a heap over this
// one.
func (i *image) checkRoot() error {
	var page struct {
		root
		_ [pageSize - unsafe.Sizeof(root{})]byte
	}
	if _, err := i.file.ReadAt((*[pageSize]byte)(unsafe.Pointer(&page))[:], i.offset); err != nil {
		return fmt.Errorf("cannot read the image: %w", err)
	}
	r, here := &page.root, theRoot()
	if r.runtime != here.runtime || r.context != here.context || r.entry != here.entry || r.date != here.date ||
		r.heap.brk != i.pages || r.heap.inUse > r.heap.brk || !r.heap.linked() {
		return errors.New("the image contradicts itself")
	}
	return nil
}

// linked reports whether what the lists of pages begin with is in the heap.
func (h *heap) linked() bool {
	for _, b := range h.bins {
		if b > h.brk {
			return false
		}
	}
	for _, b := range h.partial {
		if b > h.brk {
			return false
		}
	}
	return true
}

// restore puts the image's pages where they were. After an error this engine's
// heap is neither the one nor the other.
func (e *Engine) restore(i *image) error {
	h := &theRoot().heap
	if i.pages > h.ready && !h.makeReady(i.pages) {
		return errors.New("cannot restore the program: no memory")
	}
	ready, touched := h.ready, max(h.touched, i.pages)
	offset := i.offset
	for _, s := range i.spans {
		if err := s.load(i.file, offset); err != nil {
			return fmt.Errorf("cannot restore the program: %w", err)
		}
		offset += int64(s.count) * pageSize
	}
	h.ready, h.touched = ready, touched
	e.adopt()
	return nil
}

func (s span) load(f *os.File, offset int64) error {
	addr, length := pageAddr(s.page), uintptr(s.count)*pageSize
	if s.count >= longSpan {
		return mapFile(f, offset, addr, length)
	}
	_, err := f.ReadAt(bytesAt(addr, length), offset)
	return err
}

// resume makes the restored program p's, and tells it. It returns what Load does.
func (e *Engine) resume(i *image, p engine.Program) ([]string, error) {
	e.from = "restored"
	r := theRoot()
	e.exports, e.alarm, e.lastID = r.program.exports, r.program.alarm, r.program.lastID
	if i.kind == ReadyImage {
		for _, l := range i.state.Lines {
			e.host.Log(l.Level, l.Text)
		}
		return e.listExports()
	}
	e.rewind(i.state, p.Start)
	e.turn(func() {
		v := e.call(r.entry[entryRestored])
		if isThrown(v) {
			e.uncaught(e.exception())
		}
		e.drop(v)
	})
	if e.watch.over(e) {
		return nil, e.ending()
	}
	return e.listExports()
}

// rewind sets the program's clock to what it was, and the time since. It never
// runs backwards, as the wall clock may have.
func (e *Engine) rewind(s state, now time.Time) {
	origin := time.UnixMicro(s.Origin)
	elapsed := time.Duration(s.Elapsed * float64(time.Millisecond))
	away := max(now.Sub(origin)-elapsed, 0)
	e.program.Start = origin
	e.epoch = e.epoch.Add(-elapsed - away)
}
