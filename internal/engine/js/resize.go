package js

import lib "modernc.org/libquickjs"

// SetHeap changes how many bytes the guest's heap may take, from the next turn
// on. It may be called from any goroutine, and does not wait. A guest that has
// more already keeps it, and ends when it asks for more.
func (e *Engine) SetHeap(bytes int64) {
	e.nextHeap.Store(bytes)
	e.nudge()
}

// resizeHeap does what SetHeap asked for, if it did.
func (e *Engine) resizeHeap() bool {
	bytes := e.nextHeap.Swap(0)
	if bytes <= 0 {
		return false
	}
	e.program.Heap = bytes
	e.limitHeap(bytes)
	if h := &theRoot().heap; h.inUse > h.limit {
		// Some of it may be garbage. What its end brings about is the guest's turn.
		e.turn(func() { lib.XJS_RunGC(e.tls, theRoot().runtime) })
	}
	return true
}

// limitHeap limits what the guest may take from here on, beyond what the heap
// image holds. Without one it pays for the prelude itself.
func (e *Engine) limitHeap(bytes int64) {
	theRoot().heap.limit = uint32(min(bytes/pageSize+int64(theRoot().shared), maxPages-spare))
}
