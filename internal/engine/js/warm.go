package js

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// Some pages are written to by every program: those with the runtime's own fields,
// and those behind the image, where the first objects go. The kernel copies or
// makes a page when it is first written to, and all of that took half the time to
// the first result. So it is done when the image is mapped, before any
// program is there to wait.
//
// Which pages they are is found when the image is made, by running a program over
// it, and stands behind the header in page 0:
//
//	offset size
//	   152    4  number of pages
//	   156       4 bytes for each: its number, from the arena's address
//
// It is a hint, which no checksum covers.
const (
	warmOffset = headerSize
	maxWarm    = 128
)

// warmProgram does what any program does at least: it is compiled and called.
const warmProgram = `export const f = async (x) => ({ x, list: [1, "two"], g: () => x });`

// warmFiles has warmProgram under every name.
type warmFiles struct{}

func (warmFiles) Open(string) (fs.File, error)    { return nil, fs.ErrNotExist }
func (warmFiles) ReadFile(string) ([]byte, error) { return []byte(warmProgram), nil }

// writeWarm adds the list to the image in f.
func writeWarm(f *os.File) error {
	pages, err := findWarm(f)
	if err != nil {
		return fmt.Errorf("cannot run a program over the heap image: %w", err)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(pages)))
	for _, n := range pages {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	if _, err := f.WriteAt(b, warmOffset); err != nil {
		return fmt.Errorf("cannot write the heap image: %w", err)
	}
	return nil
}

// findWarm runs warmProgram over the image in f. No Engine may be open.
func findWarm(f *os.File) ([]uint32, error) {
	e, err := New(noHost{}, f)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if e.base == nil {
		return nil, fmt.Errorf("the prelude was %s", e.how)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = e.Load(ctx, engine.Program{
		Entry: "app.js", Files: warmFiles{}, Turn: time.Minute, Result: 1 << 10,
	})
	if err != nil {
		return nil, err
	}
	e.Call(ctx, "f", []byte(`{"y":[1]}`), func(_ []byte, failed error) { err = failed; cancel() })
	e.Run(ctx)
	return e.base.written(&theRoot().heap), err
}

// written lists the pages that are not as they were, at most maxWarm.
func (b *base) written(h *heap) (pages []uint32) {
	for _, s := range b.changes(h) {
		for n := s.page; n < s.page+s.count && len(pages) < maxWarm; n++ {
			pages = append(pages, n)
		}
	}
	return pages
}

// warm has the kernel copy, or make, the pages of the list.
func (b *base) warm() {
	h := &theRoot().heap
	metaEnd := 1 + uint32(metaPages(h.ready))
	list := b.file[warmOffset:pageSize]
	n := binary.LittleEndian.Uint32(list)
	for i := range min(n, maxWarm) {
		p := binary.LittleEndian.Uint32(list[4+4*i:])
		if p >= heapPage && p-heapPage < h.ready {
			h.touched = max(h.touched, p-heapPage+1)
		} else if p >= metaEnd {
			continue
		}
		atomic.AddUint32((*uint32)(at(pageAddr(p))), 0) // a write that changes nothing
	}
}
