package js

import (
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// watch bounds how long and how deep guest code runs.
//
// QuickJS calls the interrupt handler once in pollEvery calls and backward
// jumps, and now and then inside a regular expression. A handler that returns
// 1 throws an error that the guest cannot catch.
type watch struct {
	deadline awake.Deadline
	timer    *time.Timer // looks at the deadline

	expired   atomic.Bool // the deadline passed
	cancelled atomic.Bool // the context of Load or Run ended
	late      atomic.Bool // the context of a call ended at its deadline

	polls  uint32
	frames frames
}

// pollEvery is how many calls and backward jumps may pass between two looks.
// QuickJS's own figure is 10,000, which is enough frames to overrun any budget
// for them; at 16 the looks cost about one per cent of an empty loop.
const pollEvery = 16

// A turn without a limit is one of our own: the prelude's.
const unlimited = time.Duration(0)

func (w *watch) init(e *Engine) {
	w.timer = time.AfterFunc(time.Hour, w.expire)
	w.timer.Stop()
	w.frames.init(e.tls)
}

func (w *watch) close() { w.timer.Stop() }

func (w *watch) begin(limit time.Duration) {
	if limit == unlimited {
		return
	}
	w.deadline.Set(time.Now(), limit)
	w.expired.Store(false)
	w.timer.Reset(min(limit, awake.Nap))
}

func (w *watch) end() {
	w.timer.Stop()
	w.deadline.Clear()
}

// expire runs on the timer's goroutine. A turn may have ended, and another
// begun, since the timer fired.
func (w *watch) expire() {
	if left := w.look(); left > 0 {
		w.timer.Reset(min(left, awake.Nap))
	}
}

// look notes whether the deadline has passed, and returns the time until then.
func (w *watch) look() time.Duration {
	left, set := w.deadline.Left(time.Now())
	if set && left == 0 {
		w.expired.Store(true)
	}
	return left
}

// over reports whether guest code must not go on, and why in e.stop.
func (w *watch) over(e *Engine) bool {
	switch {
	case e.stop != nil || w.cancelled.Load():
		return true
	case w.expired.Load():
		e.exit(mp.CauseCallLimit, "one turn of the event loop took more than "+e.program.Turn.String())
		return true
	case w.late.Load():
		e.exit(mp.CauseCallLimit, "a call was not answered within "+e.program.Turn.String())
		return true
	}
	return false
}

func onInterrupt(_ *libc.TLS, runtime, _ uintptr) int32 {
	e := current.Load()
	(*lib.TJSContext)(at(e.ctx)).Finterrupt_counter = pollEvery
	w := &e.watch
	// The timer's goroutine may have to wait for its turn on the processor.
	if w.polls++; w.polls%256 == 0 {
		w.look()
	}
	if w.over(e) {
		return 1
	}
	(*lib.TJSRuntime)(at(runtime)).Fstack_size = w.frames.limit(e.tls)
	return 0
}

// frames bounds the memory of nested calls.
//
// QuickJS, translated to Go, recurses on the goroutine's stack. How deep it may
// is counted in slots of libc.TLS, about one for each C function in the chain.
// Each call of a JavaScript function also takes its variables and its operand
// stack from libc's allocator, outside of the arena: up to 2 MiB, which the
// slots do not see. Both count against Program.Stack here.
type frames struct {
	allocas *[]uintptr // of the TLS
	sums    []int64    // sums[i] is the size of known[:i+1]
	known   []uintptr
	slots   uint64 // the limit when no frame is large
	bytes   int64  // of frames
}

// slotBytes is what one slot takes: at most 1 KiB of the goroutine's stack,
// which TestRecursion holds for every kind of recursion, and what libc keeps
// for the slot itself.
const slotBytes = 2 << 10

// allocasOffset is where libc.TLS keeps its list of alloca'd blocks, which
// it does not export.
var allocasOffset = func() uintptr {
	f, ok := reflect.TypeFor[libc.TLS]().FieldByName("allocas")
	if !ok || f.Type != reflect.TypeFor[[]uintptr]() {
		panic("js: this version of modernc.org/libc keeps alloca'd blocks elsewhere")
	}
	return f.Offset
}()

func (f *frames) init(tls *libc.TLS) {
	f.allocas = (*[]uintptr)(unsafe.Add(unsafe.Pointer(tls), allocasOffset))
	f.allow(defaultStack)
}

// allow sets the limit in bytes.
func (f *frames) allow(bytes int64) {
	f.slots = uint64(max(bytes/slotBytes, 64))
	f.bytes = bytes
}

// limit is the number of slots that may be in use: no more than now when the
// frames have used up their bytes, so that the guest can go on once the error
// has unwound some of them.
func (f *frames) limit(tls *libc.TLS) uint64 {
	if f.measure() > f.bytes {
		return min(uint64(tls.StackSlots()), f.slots)
	}
	return f.slots
}

// measure sums the sizes of the frames that are live. It looks at those alone
// that changed since it last did.
func (f *frames) measure() int64 {
	live := *f.allocas
	n := min(len(f.known), len(live))
	for n > 0 && f.known[n-1] != live[n-1] {
		n--
	}
	f.known, f.sums = f.known[:n], f.sums[:n]
	var sum int64
	if n > 0 {
		sum = f.sums[n-1]
	}
	for _, p := range live[n:] {
		sum += int64(libc.UsableSize(p))
		f.known, f.sums = append(f.known, p), append(f.sums, sum)
	}
	return sum
}
