package supervisor

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// heapWorker is a worker that tells of the heap limits that it was given, and
// answers so.
func heapWorker(told chan<- int64, answer func() ([]byte, error)) func(*fakeWorker) launch.Exited {
	return scripted(func(w *fakeWorker, _ *ipc.Conn, m wire.Method, body []byte) ([]byte, error) {
		switch m {
		case wire.MethodBoot:
			return encoded(&wire.Booted{Exports: []string{"f"}})
		case wire.MethodHeap:
			var h wire.Heap
			if err := wire.Unmarshal(body, &h); err != nil {
				w.t.Error(err)
			}
			told <- h.Bytes
			return answer()
		}
		return encoded(&wire.Reply{Output: []byte("1")})
	})
}

func done() ([]byte, error) { return encoded(&wire.Done{}) }

func (r *rig) setMemory(id string, mib int64) error {
	_, err := r.update(id, &controlpb.Limits{MemoryBytes: ptr(mib << 20)})
	return err
}

// A worker is told its new heap limit if the memory limit has changed, and before
// the update is answered.
func TestUpdateResizesTheHeap(t *testing.T) {
	r := newRig(t)
	told := make(chan int64, 8)
	r.launcher.next(heapWorker(told, done))
	id := r.mustStart()
	if err := r.setMemory(id, 128); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || <-told != heapOf(128<<20) {
		t.Error("the worker was not told its heap limit")
	}
	if _, err := r.update(id, &controlpb.Limits{Pids: ptr(int64(40))}); err != nil {
		t.Fatal(err)
	}
	if err := r.setMemory(id, 128); err != nil {
		t.Fatal(err)
	}
	r.launcher.mu.Lock()
	r.launcher.refuse = errors.New("the memory is in use")
	r.launcher.mu.Unlock()
	if err := r.setMemory(id, 20); err == nil {
		t.Error("the launcher's refusal is lost")
	}
	if len(told) != 0 {
		t.Errorf("told %d bytes for no change", <-told)
	}
}

// A worker that does not answer holds up nobody for long; it is told the last
// limit when it does, and nothing that was overtaken.
func TestUpdateOfASilentWorker(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		r := newRig(t)
		told, release := make(chan int64, 8), make(chan struct{})
		r.launcher.next(heapWorker(told, func() ([]byte, error) { <-release; return done() }))
		id := r.mustStart()
		if frozen {
			if err := r.freeze(id); err != nil {
				t.Fatal(err)
			}
		}
		for _, mib := range []int64{100, 110, 120} {
			if err := r.setMemory(id, mib); err != nil {
				t.Fatal(err)
			}
		}
		first := <-told
		close(release)
		// Which one was first depends on who was quicker; the last is told last.
		got := []int64{first}
		for got[len(got)-1] != heapOf(120<<20) {
			select {
			case n := <-told:
				got = append(got, n)
			case <-time.After(30 * time.Second):
				t.Fatalf("frozen %v: told %v, and not the last", frozen, got)
			}
		}
		if !slices.IsSorted(got) || len(got) > 2 {
			t.Errorf("frozen %v: told %v", frozen, got)
		}
	}
}

// A worker that refuses, or answers anything else, is not ours.
func TestUpdateOfARogueWorker(t *testing.T) {
	r := newRig(t)
	neighbour := r.mustStart()
	for name, answer := range map[string]func() ([]byte, error){
		"refuses": func() ([]byte, error) { return nil, errors.New("no") },
		"garbage": func() ([]byte, error) { return []byte("what?"), nil },
	} {
		r.launcher.next(heapWorker(make(chan int64, 1), answer))
		id := r.mustStart()
		if err := r.setMemory(id, 100); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if e := r.exit(id); e.Cause != mp.CauseProtocol {
			t.Errorf("%s: ended with %v", name, e)
		}
	}
	r.alive(neighbour)
}

// A program that ends while it is told has ended; that is all.
func TestUpdateOfADyingWorker(t *testing.T) {
	r := newRig(t)
	r.launcher.next(heapWorker(make(chan int64, 1), func() ([]byte, error) { return nil, &exitNow{Signal: 9} }))
	id := r.mustStart()
	if err := r.setMemory(id, 100); err != nil {
		t.Error(err)
	}
	if e := r.exit(id); e.Cause != mp.CauseSignal {
		t.Errorf("ended with %v", e)
	}
}
