package js

import (
	"context"
	"sync"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const hoarder = `
const kept = [];
export const grow = (mib) => {
	for (; mib > 0; mib--) kept.push(new Uint8Array(1 << 20).fill(1));
	return kept.length;
};
export const litter = (mib) => {
	for (; mib > 0; mib--) { const a = { bytes: new Uint8Array(1 << 20).fill(1) }; a.self = a; }
};
export const wait = (ms) => new Promise((r) => setTimeout(r, ms));
`

func TestHeapIsRaised(t *testing.T) {
	b := mustStart(t, hoarder)
	b.must("grow", "20")
	b.SetHeap(64 << 20)
	if got := b.must("grow", "30"); got != "50" {
		t.Errorf("it keeps %s MiB", got)
	}
	if _, err := b.do(context.Background(), "grow", "30"); err == nil {
		t.Error("it grew beyond the new limit")
	}
	if x := wantExit(t, b.ended(), mp.CauseMemoryLimit); x.Detail != heapDetail(64<<20) {
		t.Errorf("detail %q", x.Detail)
	}
}

// Without a new limit the same growth ends the program.
func TestHeapIsNotRaised(t *testing.T) {
	b := mustStart(t, hoarder)
	b.must("grow", "20")
	if _, err := b.do(context.Background(), "grow", "30"); err == nil {
		t.Error("it grew beyond its limit")
	}
	wantExit(t, b.ended(), mp.CauseMemoryLimit)
}

// A guest above a lowered limit lives on with what it has, and ends when it asks
// for more, with the new limit for a reason.
func TestHeapIsLowered(t *testing.T) {
	b := mustStart(t, hoarder)
	b.must("grow", "20")
	b.SetHeap(8 << 20)
	if _, err := b.do(context.Background(), "grow", "1"); err == nil {
		t.Error("it grew above the lowered limit")
	}
	if x := wantExit(t, b.ended(), mp.CauseMemoryLimit); x.Detail != heapDetail(8<<20) {
		t.Errorf("detail %q", x.Detail)
	}
}

// Garbage does not count against a lowered limit.
func TestHeapIsLoweredBelowGarbage(t *testing.T) {
	b := mustStart(t, hoarder)
	b.must("litter", "20")
	b.SetHeap(8 << 20)
	if got := b.must("grow", "4"); got != "4" {
		t.Errorf("it keeps %s MiB", got)
	}
}

// From many goroutines, while turns run; the last of all counts.
func TestHeapIsSetAtAnyTime(t *testing.T) {
	b := mustStart(t, hoarder)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				b.SetHeap(int64(16+(i+n)%16) << 20)
				if n%10 == 0 {
					b.must("wait", "1")
				}
			}
		})
	}
	all.Wait()
	b.SetHeap(64 << 20)
	if got := b.must("grow", "50"); got != "50" {
		t.Errorf("it keeps %s MiB", got)
	}
}
