package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// heapWait bounds how long a change of limits waits for the worker to have heard
// of its new heap limit. One that is frozen hears of it when it is thawed.
const heapWait = time.Second

// heapLimit is what a worker is to be told of its heap's limit. One at a time is
// told, so that the last is what holds, and what was overtaken is left out.
// instance.mu guards it.
type heapLimit struct {
	next    int64         // 0: nothing new
	telling chan struct{} // closed when nothing is left to tell; nil: nobody tells
}

// resizeHeap has the worker of a program that has one hold its guest's heap to
// another memory limit.
func (i *instance) resizeHeap(ctx context.Context, memory int64) {
	if i.prog.role == launch.RoleNative {
		return
	}
	next := i.heapFor(memory)
	i.mu.Lock()
	i.heap.next = next
	if i.heap.telling == nil {
		i.heap.telling = make(chan struct{})
		go i.tellHeap(i.conn)
	}
	told, frozen := i.heap.telling, i.pause.frozen
	i.mu.Unlock()
	if frozen {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heapWait)
	defer cancel()
	select {
	case <-told:
	case <-ctx.Done():
	}
}

// tellHeap tells the worker until there is nothing new, or no worker.
func (i *instance) tellHeap(conn *ipc.Conn) {
	for {
		bytes, more := i.newHeap()
		if !more {
			return
		}
		if err := setHeap(conn, bytes); err != nil && conn.Err() == nil {
			i.violated(err)
		}
	}
}

// newHeap takes what is to be told, or ends the telling.
func (i *instance) newHeap() (bytes int64, more bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if bytes, i.heap.next = i.heap.next, 0; bytes == 0 {
		close(i.heap.telling)
		i.heap.telling = nil
	}
	return bytes, bytes != 0
}

// setHeap waits for the worker's answer as long as there is a channel: a frozen
// one may take any time. A worker has nothing to say against it.
func setHeap(conn *ipc.Conn, bytes int64) error {
	body, err := wire.Marshal(wire.MethodHeap, &wire.Heap{Bytes: bytes})
	if err != nil {
		return err
	}
	answer, err := conn.Call(context.Background(), body)
	if remote := (*ipc.RemoteError)(nil); errors.As(err, &remote) {
		return fmt.Errorf("refused a heap limit: %s", firstLine(remote.Error()))
	}
	if err != nil {
		return err
	}
	return wire.Unmarshal(answer, &wire.Done{})
}
