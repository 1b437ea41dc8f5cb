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

// Some pages of the image are written to by every program: those with the
// runtime's own fields, and those where the next small objects go. The kernel
// copies a page when it is first written to, and all those copies took a third of
// the time to the first result. So they are made when the image is mapped, before
// any program is there to wait.
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

// written lists the pages of the base that are not as they were.
func (b *base) written(h *heap) (pages []uint32) {
	for _, s := range b.changes(h) {
		for n := s.page; n < s.page+s.count && len(pages) < maxWarm; n++ {
			if b.holds(n) {
				pages = append(pages, n)
			}
		}
	}
	return pages
}

// warm has the kernel copy the pages of the list.
func (b *base) warm() {
	list := b.file[warmOffset:pageSize]
	n := binary.LittleEndian.Uint32(list)
	for i := range min(n, maxWarm) {
		if p := binary.LittleEndian.Uint32(list[4+4*i:]); b.holds(p) {
			atomic.AddUint32((*uint32)(at(pageAddr(p))), 0) // a write that changes nothing
		}
	}
}
