package worker

import (
	"errors"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// handleHeap gives a JavaScript program's heap another limit. It does not wait
// for the program, which may be busy.
func (w *worker) handleHeap(b []byte) ([]byte, error) {
	var m wire.Heap
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	if w.js == nil || w.end.callLimit() == 0 {
		w.refuse(errors.New("a Heap came, and there is no JavaScript program"))
	}
	w.js.SetHeap(m.Bytes)
	return wire.MarshalReply(&wire.Done{})
}
