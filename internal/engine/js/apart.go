package js

import (
	"unsafe"

	lib "modernc.org/libquickjs"
)

// A program's objects would fill the gaps that the prelude left, one here and one
// there, and each would copy a page of the image. So the gaps are closed when the
// prelude has been evaluated: what a program allocates lies in pages of its own,
// one behind the other, which is also what makes images of programs short.
//
// A gap is closed by taking it off the list on which it would be found, and
// linking it to itself, so that whatever takes it off once more does no harm.

// keepApart closes every gap.
func (e *Engine) keepApart() {
	rt := (*lib.TJSRuntime)(at(theRoot().runtime))
	lists := &rt.Fmalloc_ctx.Ffree_arena_list // QuickJS's own slabs
	for i := range lists {
		unlinkAll(uintptr(unsafe.Pointer(&lists[i])))
	}
	theRoot().heap.closeGaps()
}

// unlinkAll empties a list, and links each of its members to itself.
func unlinkAll(list uintptr) {
	for p := link(list).Fnext; p != list; {
		next := link(p).Fnext
		link(p).Fprev, link(p).Fnext = p, p
		p = next
	}
	link(list).Fprev, link(list).Fnext = list, list
}

// closeGaps takes what is free off every list. Free pages become blocks that
// nobody frees; a run with free blocks gives none until it was full, which it
// never is again, and stays when it is empty.
func (h *heap) closeGaps() {
	for c := range h.partial {
		for h.partial[c] != 0 {
			h.unlinkPartial(h.partial[c] - 1)
		}
	}
	for b := range h.bins {
		for h.bins[b] != 0 {
			i := h.bins[b] - 1
			n := pageAt(i).run
			h.unlink(i)
			*pageAt(i) = page{kind: large, run: n}
			h.inUse += n
		}
	}
}
