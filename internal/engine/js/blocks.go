package js

import (
	"fmt"
	"math/bits"
)

// Blocks are what QuickJS asks for. It divides slabs of up to 4 KiB among its
// small objects itself, so that most requests are such slabs, and the rest are
// larger than 500 bytes: arrays, strings, hash tables, buffers.
//
// A block of at most 14 KiB comes from a run of equal blocks, a larger one is
// a run of its own. Every class fills its run to the last byte.
type class struct {
	size  uint32
	pages uint32
}

var classes = [...]class{
	{512, 1}, {640, 5}, {768, 3}, {896, 7}, {1024, 1}, {1280, 5}, {1536, 3}, {1792, 7},
	{2048, 1}, {2560, 5}, {3072, 3}, {3584, 7}, {4096, 0}, {5120, 5}, {6144, 3}, {7168, 7},
	{8192, 0}, {10240, 5}, {12288, 0}, {14336, 7},
}

const numClasses = len(classes)

// classOf is the smallest class that holds n bytes, or -1 when n is best
// served with whole pages.
func classOf(n uintptr) int {
	for c := range classes {
		if n <= uintptr(classes[c].size) {
			if classes[c].pages == 0 {
				return -1
			}
			return c
		}
	}
	return -1
}

func pagesFor(n uintptr) uint32 { return uint32((n + pageSize - 1) / pageSize) }

// corrupt is the panic of an allocator that was handed what it never gave out.
type corrupt struct {
	addr uintptr
	what string
}

func (c corrupt) Error() string { return fmt.Sprintf("heap corrupted: %s at %#x", c.what, c.addr) }

// malloc returns n bytes, not zeroed and aligned to 16, or 0.
func (h *heap) malloc(n uintptr) uintptr {
	if n > maxPages*pageSize {
		h.refused = true
		return 0
	}
	if c := classOf(n); c >= 0 {
		return h.takeBlock(c)
	}
	pages := pagesFor(n)
	i, ok := h.takeRun(pages)
	if !ok {
		return 0
	}
	*pageAt(i) = page{kind: large, run: pages}
	return addrOf(i)
}

func (h *heap) takeBlock(c int) uintptr {
	if h.partial[c] == 0 && !h.newSmallRun(c) {
		return 0
	}
	i := h.partial[c] - 1
	p := pageAt(i)
	block := bits.TrailingZeros64(^p.used)
	p.used |= 1 << block
	if p.used == fullMask(c) {
		h.unlinkPartial(i)
	}
	return addrOf(i) + uintptr(block)*uintptr(classes[c].size)
}

// fullMask has a bit for each block of a run.
func fullMask(c int) uint64 {
	return 1<<(classes[c].pages*pageSize/classes[c].size) - 1
}

func (h *heap) newSmallRun(c int) bool {
	n := classes[c].pages
	i, ok := h.takeRun(n)
	if !ok {
		return false
	}
	for j := i; j < i+n; j++ {
		*pageAt(j) = page{kind: small, class: uint8(c), first: i}
	}
	h.linkPartial(i)
	return true
}

func (h *heap) linkPartial(i uint32) {
	p := pageAt(i)
	b := &h.partial[p.class]
	p.next, p.prev = *b, 0
	if *b != 0 {
		pageAt(*b - 1).prev = i + 1
	}
	*b = i + 1
}

func (h *heap) unlinkPartial(i uint32) {
	p := pageAt(i)
	if p.prev != 0 {
		pageAt(p.prev - 1).next = p.next
	} else {
		h.partial[p.class] = p.next
	}
	if p.next != 0 {
		pageAt(p.next - 1).prev = p.prev
	}
	p.next, p.prev = 0, 0
}

// find returns the run that block p belongs to and, in a small run, which
// block it is. It panics when p is no allocated block.
func (h *heap) find(p uintptr) (i uint32, block int) {
	if p < heapBase || p >= addrOf(h.brk) {
		panic(corrupt{p, "no block of this heap"})
	}
	i = indexOf(p)
	d := pageAt(i)
	switch {
	case d.kind == large && p%pageSize == 0:
		return i, 0
	case d.kind == small:
		i = d.first
		offset, size := p-addrOf(i), uintptr(classes[d.class].size)
		block = int(offset / size)
		if offset%size == 0 && pageAt(i).used&(1<<block) != 0 {
			return i, block
		}
	}
	panic(corrupt{p, "block that is not allocated"})
}

// usable is how many bytes block p has.
func (h *heap) usable(p uintptr) uintptr {
	i, _ := h.find(p)
	if d := pageAt(i); d.kind == small {
		return uintptr(classes[d.class].size)
	}
	return uintptr(pageAt(i).run) * pageSize
}

func (h *heap) free(p uintptr) {
	i, block := h.find(p)
	d := pageAt(i)
	if d.kind == large {
		n := d.run
		*d = page{}
		h.giveRun(i, n)
		return
	}
	c := int(d.class)
	if d.used == fullMask(c) {
		h.linkPartial(i)
	}
	d.used &^= 1 << block
	// One empty run a class is kept: a program at the edge of one would
	// otherwise make and break it for every block.
	if d.used == 0 && (d.next != 0 || d.prev != 0) {
		h.unlinkPartial(i)
		h.breakSmallRun(i, classes[c].pages)
	}
}

func (h *heap) breakSmallRun(i, n uint32) {
	for j := i; j < i+n; j++ {
		*pageAt(j) = page{}
	}
	h.giveRun(i, n)
}

// realloc resizes block p to n bytes, in place where it can. It returns 0, and
// leaves p as it was, when there is no memory.
func (h *heap) realloc(p, n uintptr) uintptr {
	if n > maxPages*pageSize {
		h.refused = true
		return 0
	}
	old := h.usable(p)
	if h.resize(p, old, n) {
		return p
	}
	q := h.malloc(n)
	if q == 0 {
		return 0
	}
	copy(bytesAt(q, min(old, n)), bytesAt(p, min(old, n)))
	h.free(p)
	return q
}

// resize reports whether p holds n bytes now without having moved.
func (h *heap) resize(p, old, n uintptr) bool {
	i, _ := h.find(p)
	d := pageAt(i)
	if d.kind == small {
		return n <= old && n > old/2 // else a smaller class will do
	}
	if classOf(n) >= 0 {
		return false
	}
	have, want := d.run, pagesFor(n)
	switch {
	case want < have:
		d.run = want
		h.giveRun(i+want, have-want)
	case want > have:
		if !h.growRun(i, have, want) {
			return false
		}
		d.run = want
	}
	return true
}
