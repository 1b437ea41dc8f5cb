package js

import (
	"bytes"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pages of the arena are numbered from its address. The root page is the first.
const heapPage = uint32((heapBase - arenaBase) / pageSize)

func pageAddr(n uint32) uintptr { return arenaBase + uintptr(n)*pageSize }

// base is the heap image over which this engine's arena was mapped, mapped once
// more and read-only: what a page held before anything ran.
type base struct {
	header header
	file   []byte
}

var zeroPage [pageSize]byte

func mapBase(f *os.File) (*base, error) {
	h, err := readHeader(f)
	if err != nil {
		return nil, err
	}
	file, err := unix.Mmap(int(f.Fd()), 0, int(h.fileSize()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("cannot map the heap image: %w", err)
	}
	return &base{h, file}, nil
}

func (b *base) close() {
	if b != nil {
		// Cannot fail: the mapping is ours.
		_ = unix.Munmap(b.file)
	}
}

// holds reports whether page n of the arena came from the file.
func (b *base) holds(n uint32) bool {
	return n <= uint32(metaPages(b.header.pages)) || n >= heapPage && n-heapPage < b.header.pages
}

// page is what page n of the arena held.
func (b *base) page(n uint32) []byte {
	if !b.holds(n) {
		return zeroPage[:]
	}
	if n >= heapPage {
		n -= heapPage - 1 - uint32(metaPages(b.header.pages))
	}
	return b.file[(1+int(n))*pageSize:][:pageSize]
}

// differs reports whether page n of the arena is not as it was.
func (b *base) differs(n uint32) bool {
	return !bytes.Equal(bytesAt(pageAddr(n), pageSize), b.page(n))
}

// span is a run of pages of the arena.
type span struct{ page, count uint32 }

const spanSize = int(unsafe.Sizeof(span{}))

// metaEnd is the first page behind the descriptors that an arena with pages in
// its heap has, over this base.
func (b *base) metaEnd(pages uint32) uint32 {
	return 1 + uint32(metaPages(max(pages, b.header.pages)))
}

// changes are the pages that a heap needs and that differ from the base: of the
// root page, which is always among them, the descriptors, and what is not free.
func (b *base) changes(h *heap) []span {
	spans := []span{{0, 1}}
	add := func(n uint32) {
		if !b.differs(n) {
			return
		}
		if last := &spans[len(spans)-1]; last.page+last.count == n {
			last.count++
		} else {
			spans = append(spans, span{n, 1})
		}
	}
	for n := uint32(1); n < b.metaEnd(h.brk); n++ {
		add(n)
	}
	for i := uint32(0); i < h.brk; i++ {
		if p := pageAt(i); p.kind == free {
			i += max(p.run, 1) - 1
		} else {
			add(heapPage + i)
		}
	}
	return spans
}
