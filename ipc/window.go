package ipc

import "sync/atomic"

// window is how many bytes of messages the peer may still send, and how many
// it is owed: those whose messages this end holds no more.
type window struct {
	left, owed atomic.Int64
	size       int64
}

func (w *window) open(size int) {
	w.size = int64(size)
	w.left.Store(w.size)
}

// charge books a message that the peer begins.
func (w *window) charge(n uint32) error {
	if left := w.left.Add(-int64(n)); left < 0 {
		return broken(RuleCredit, "a message of %d bytes with %d left", n, left+int64(n))
	}
	return nil
}

// due reports whether enough is owed for a frame of its own. The rest of the
// window still holds any one message, so waiting for that much blocks nobody.
func (w *window) due() bool { return w.owed.Load() >= w.size/4 }

// pay takes what is owed, to be granted to the peer at once.
func (w *window) pay() uint32 {
	n := w.owed.Swap(0)
	w.left.Add(n)
	return uint32(n)
}
