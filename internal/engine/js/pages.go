package js

import (
	"math/bits"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The page allocator hands out runs of pages. A run's descriptor says what it
// is; all descriptors lie apart from the pages, so that nothing the guest does
// with its memory, and no overrun inside the engine, forges one unnoticed.
//
// Free runs are merged with their neighbours at once. Above brk nothing has
// been handed out. Free pages go back to the kernel when many have gathered.

// kind says what a run is. Only a run's first page has one, except that every
// page of a small run is small, and that a free run's last page is free too.
type kind uint8

const (
	none  kind = iota // inside a run, or above brk
	free              // next and prev link the runs of one bin
	large             // one block
	small             // blocks of one class, see blocks.go
)

type page struct {
	kind  kind
	class uint8
	clean bool   // free: the kernel has its memory back
	run   uint32 // pages in the run; at its first page, and a free run's last
	first uint32 // small: the run's first page
	next  uint32 // index of a page, plus one; 0 is none
	prev  uint32
	used  uint64 // small: which blocks are allocated, at the first page
}

// Bins of free runs: one for each length up to exactBins, then one for each
// power of two.
const (
	exactBins = 32
	numBins   = exactBins + 16
)

// maxDirty is how many free pages may keep their memory: 1 MiB saves most of
// the faults of a program that allocates and frees in turn.
const maxDirty = 256

type heap struct {
	brk     uint32 // pages ever handed out; above it is free
	ready   uint32 // pages made accessible, at least brk
	touched uint32 // pages that may hold memory, at least brk
	inUse   uint32 // pages in runs that are not free
	limit   uint32 // of inUse
	dirty   uint32 // pages in free runs that are not clean
	refused bool   // an allocation failed since the flag was last cleared
	bins    [numBins]uint32
	partial [numClasses]uint32 // small runs with a block to give
}

func pageAt(i uint32) *page {
	return (*page)(at(metaBase + uintptr(i)*unsafe.Sizeof(page{})))
}

func addrOf(i uint32) uintptr { return heapBase + uintptr(i)*pageSize }

// indexOf is the page that holds address p, which must be in the heap.
func indexOf(p uintptr) uint32 { return uint32((p - heapBase) / pageSize) }

func binOf(n uint32) int {
	if n <= exactBins {
		return int(n) - 1
	}
	return exactBins + bits.Len32(n-1) - 6 // 33 to 64 is the first
}

// takeRun returns the first page of a run of n pages, which has no kind yet.
func (h *heap) takeRun(n uint32) (i uint32, ok bool) {
	if n > h.limit || h.inUse > h.limit-n {
		h.refused = true
		return 0, false
	}
	i, ok = h.findFree(n)
	if !ok {
		i, ok = h.extend(n)
	}
	if !ok {
		h.refused = true
		return 0, false
	}
	h.inUse += n
	return i, true
}

// findFree takes n pages from the shortest free run that has them.
func (h *heap) findFree(n uint32) (uint32, bool) {
	for b := binOf(n); b < numBins; b++ {
		best := uint32(0)
		// A bin of many lengths is searched, but not for ever.
		for at, tries := h.bins[b], 0; at != 0 && tries < 64; at, tries = pageAt(at-1).next, tries+1 {
			if l := pageAt(at - 1).run; l >= n && (best == 0 || l < pageAt(best-1).run) {
				best = at
			}
		}
		if best != 0 {
			h.carve(best-1, n)
			return best - 1, true
		}
	}
	return 0, false
}

// carve takes the first n pages of free run i and leaves the rest free.
func (h *heap) carve(i, n uint32) {
	length, clean := pageAt(i).run, pageAt(i).clean
	h.unlink(i)
	if length > n {
		h.link(i+n, length-n, clean)
	}
}

// extend takes n pages that were never handed out, or that were given up.
func (h *heap) extend(n uint32) (uint32, bool) {
	if n > maxPages-h.brk {
		return 0, false
	}
	end := h.brk + n
	if end > h.ready && !h.makeReady(end) {
		return 0, false
	}
	i := h.brk
	h.brk, h.touched = end, max(h.touched, end)
	return i, true
}

func (h *heap) makeReady(end uint32) bool {
	end = min((end+growth-1)/growth*growth, maxPages)
	const perPage = growth * unsafe.Sizeof(page{})
	from, to := metaBase+uintptr(h.ready/growth)*perPage, metaBase+uintptr((end+growth-1)/growth)*perPage
	if allow(from, to-from) != nil || allow(addrOf(h.ready), addrOf(end)-addrOf(h.ready)) != nil {
		return false
	}
	h.ready = end
	return true
}

// giveRun frees the n pages from i on. Their descriptors have been cleared.
func (h *heap) giveRun(i, n uint32) {
	h.inUse -= n
	clean := false
	if i > 0 && pageAt(i-1).kind == free {
		length := pageAt(i - 1).run
		h.unlink(i - length)
		i, n = i-length, n+length
	}
	if i+n < h.brk && pageAt(i+n).kind == free {
		length := pageAt(i + n).run
		h.unlink(i + n)
		n += length
	}
	if i+n == h.brk {
		h.brk = i
	} else {
		h.link(i, n, clean)
	}
	if h.dirty+h.touched-h.brk > maxDirty {
		h.release()
	}
}

func (h *heap) link(i, n uint32, clean bool) {
	b := &h.bins[binOf(n)]
	*pageAt(i + n - 1) = page{kind: free, run: n}
	*pageAt(i) = page{kind: free, run: n, clean: clean, next: *b}
	if *b != 0 {
		pageAt(*b - 1).prev = i + 1
	}
	*b = i + 1
	if !clean {
		h.dirty += n
	}
}

func (h *heap) unlink(i uint32) {
	p := *pageAt(i)
	if p.prev != 0 {
		pageAt(p.prev - 1).next = p.next
	} else {
		h.bins[binOf(p.run)] = p.next
	}
	if p.next != 0 {
		pageAt(p.next - 1).prev = p.prev
	}
	if !p.clean {
		h.dirty -= p.run
	}
	*pageAt(i + p.run - 1) = page{}
	*pageAt(i) = page{}
}

// release gives the memory of all free pages back to the kernel. Should it
// refuse, the pages stay, and nothing else changes.
func (h *heap) release() {
	for b := range h.bins {
		for i := h.bins[b]; i != 0; i = pageAt(i - 1).next {
			p := pageAt(i - 1)
			if !p.clean && advise(addrOf(i-1), uintptr(p.run)*pageSize, unix.MADV_DONTNEED) == nil {
				p.clean = true
				h.dirty -= p.run
			}
		}
	}
	if h.touched > h.brk && advise(addrOf(h.brk), addrOf(h.touched)-addrOf(h.brk), unix.MADV_DONTNEED) == nil {
		h.touched = h.brk
	}
}

// growRun extends a run of n pages to m in place, if the pages behind it are
// free.
func (h *heap) growRun(i, n, m uint32) bool {
	more := m - n
	if h.inUse > h.limit || more > h.limit-h.inUse {
		return false
	}
	next := i + n
	switch {
	case next == h.brk:
		if _, ok := h.extend(more); !ok {
			return false
		}
	case pageAt(next).kind == free && pageAt(next).run >= more:
		h.carve(next, more)
	default:
		return false
	}
	h.inUse += more
	return true
}
