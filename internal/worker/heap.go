package worker

import (
	"errors"

	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// handleHeap gives a program's heap another limit. It does not wait
// for the program, which may be busy.
func (w *worker) handleHeap(b []byte) ([]byte, error) {
	var m wire.Heap
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	resizer, ok := w.engine.(interface{ SetHeap(bytes int64) })
	if !ok || w.end.callLimit() == 0 {
		w.refuse(errors.New("a Heap came, and there is no program with one"))
	}
	resizer.SetHeap(m.Bytes)
	return wire.MarshalReply(&wire.Done{})
}
