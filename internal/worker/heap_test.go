package worker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

const hoarder = `
const kept = [];
export const grow = (mib) => {
	for (; mib > 0; mib--) kept.push(new Uint8Array(1 << 20).fill(1));
	return kept.length;
};
`

func (h *host) heap(bytes int64) error {
	return h.request(context.Background(), wire.MethodHeap, &wire.Heap{Bytes: bytes}, &wire.Done{})
}

// A heap of 24 MiB cannot have 40, and one that is made larger can; what it
// cannot have ends it, with its new limit for a reason.
func TestHeapIsChanged(t *testing.T) {
	for name, limit := range map[string]int64{"not changed": 24 << 20, "raised": 64 << 20, "lowered": 12 << 20} {
		t.Run(name, func(t *testing.T) {
			h := start(t, hoarder)
			if r, err := h.call("grow", "15"); err != nil || string(r.Output) != "15" {
				t.Fatalf("%+v, %v; %s", r, err, &h.stderr)
			}
			if name != "not changed" {
				if err := h.heap(limit); err != nil {
					t.Fatal(err)
				}
			}
			r, err := h.call("grow", "25")
			if name == "raised" {
				if err != nil || string(r.Output) != "40" {
					t.Errorf("%+v, %v; %s", r, err, &h.stderr)
				}
				return
			}
			if err == nil {
				t.Errorf("it grew: %+v", r)
			}
			h.wantEnd(wire.Ending{Cause: mp.CauseMemoryLimit, Detail: fmt.Sprintf("the heap reached %d bytes", limit)}, 74)
		})
	}
}

// It is answered while a turn goes on.
func TestHeapOfABusyProgram(t *testing.T) {
	h := start(t, "export const spin = () => { console.log('here'); for (;;); }")
	go h.call("spin", "")
	h.waitLog("info here")
	if err := h.heap(64 << 20); err != nil {
		t.Error(err)
	}
	h.wantEnd(wire.Ending{Cause: mp.CauseCallLimit, Detail: "one turn of the event loop"}, 74)
}

// Who asks for it where it cannot be is not the supervisor.
func TestHeapBreaksRule(t *testing.T) {
	for name, begun := range map[string]func() *host{
		"of a native program": func() *host { return shell(t, "sleep 1000") },
		"before the boot":     func() *host { h := begin(t, variation{}); h.waitSealed(); return h },
	} {
		t.Run(name, func(t *testing.T) {
			h := begun()
			if err := h.heap(64 << 20); err == nil {
				t.Error("it was taken")
			}
			if s := h.wait(); s.ExitStatus() != 73 {
				t.Errorf("status %#x, want exit code 73; %s", s, &h.stderr)
			}
		})
	}
}
