package js

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Engine is one QuickJS runtime with one context.
type Engine struct {
	host engine.Host
	tls  *libc.TLS
	ctx  uintptr
	how  string // see Image
	from string // see Loaded
	base *base  // what the arena was mapped over; nil: the prelude was evaluated

	program engine.Program
	epoch   time.Time // what performance.now counts from
	random  *rand.ChaCha8

	watch    watch
	alarm    float64 // milliseconds after epoch at which a timer is due; negative: none
	rejected []rejection
	handled  []rejection // promises that got a handler after their rejection was reported
	unlisted int         // rejections that found no room in rejected
	modules  modules
	traces   traces
	exports  value // the entry's namespace, undefined before Load

	entryPromise uintptr // of the entry's evaluation: Load sees to its rejection
	purity       *evaluation
	turns        uint64 // that have begun

	// stop is why the program ends; nothing runs once it is set.
	stop      *engine.Exit
	suspended bool // nothing runs any more, and why is not for the guest to know

	nextHeap atomic.Int64 // what SetHeap asked for; 0 is nothing new

	pending map[int32]*call // started and not settled
	lastID  int32
	asks    asks
	codecs  codecs

	mu         sync.Mutex
	queue      []*call       // guarded by mu
	closed     error         // guarded by mu; set: no more calls
	suspending *suspension   // guarded by mu; nil: none was asked for
	wake       chan struct{} // something came into the queue
}

var _ engine.Engine = (*Engine)(nil)

// current is the process's engine, for the functions that QuickJS calls.
var current atomic.Pointer[Engine]

var errOpen = errors.New("an engine is open in this process already")

// New returns an engine that is ready to Load. It maps image when that is a
// heap image of this very executable, and evaluates the prelude otherwise;
// Image tells. A nil image is none.
func New(host engine.Host, image *os.File) (*Engine, error) {
	e := &Engine{
		host: host, epoch: time.Now(), alarm: -1,
		exports: undefined, pending: map[int32]*call{}, wake: make(chan struct{}, 1),
	}
	e.asks.init()
	if !current.CompareAndSwap(nil, e) {
		return nil, errOpen
	}
	if err := e.open(image); err != nil {
		current.Store(nil)
		return nil, err
	}
	return e, nil
}

func (e *Engine) open(image *os.File) (err error) {
	if e.tls, err = newTLS(); err != nil {
		return err
	}
	e.watch.init(e)
	if err := e.start(image); err != nil {
		e.tls.Close()
		return err
	}
	return nil
}

func (e *Engine) start(image *os.File) error {
	reason := e.mapImage(image)
	if reason == nil {
		e.how = "mapped"
		e.adopt()
		return nil
	}
	e.how = "evaluated: " + reason.Error()
	return e.build()
}

// Image says whether the prelude came from the heap image ("mapped"), or was
// evaluated, and why.
func (e *Engine) Image() string { return e.how }

// Loaded says, after Load, whether the program was restored from its image
// ("restored"), or evaluated: "evaluated" when there was no image, and else
// "evaluated: " with what stood against the image.
func (e *Engine) Loaded() string { return e.from }

// Close frees everything at once. No goroutine may be in Run or Load.
func (e *Engine) Close() {
	e.shut(mp.ErrEnded)
	e.watch.close()
	e.base.close()
	e.codecs.freeAll()
	closeArena()
	e.tls.Close()
	current.Store(nil)
}

// build makes a runtime and evaluates the prelude in it.
func (e *Engine) build() error {
	if err := newArena(); err != nil {
		return err
	}
	if err := e.populate(); err != nil {
		closeArena()
		return err
	}
	return nil
}

func (e *Engine) populate() error {
	r := theRoot()
	r.runtime = lib.XJS_NewRuntime2(e.tls, uintptr(unsafe.Pointer(&mallocFunctions)), 0)
	if r.runtime == 0 {
		return errors.New("cannot make a JavaScript runtime: out of memory")
	}
	r.context = lib.XJS_NewContext(e.tls, r.runtime)
	if r.context == 0 {
		return errors.New("cannot make a JavaScript context: out of memory")
	}
	e.ctx = r.context
	lib.XJS_SetInterruptHandler(e.tls, r.runtime, fn(onInterrupt), 0)
	lib.XJS_SetHostPromiseRejectionTracker(e.tls, r.runtime, fn(onRejection), 0)
	lib.XJS_SetModuleLoaderFunc2(e.tls, r.runtime, fn(onNormalize), fn(onLoad), fn(onAttributes), 0)
	return e.evaluatePrelude()
}

// adopt takes over a runtime that came with an image.
func (e *Engine) adopt() {
	e.ctx = theRoot().context
	lib.XJS_UpdateStackTop(e.tls, theRoot().runtime)
}

// exit makes the program end. The first reason stays.
func (e *Engine) exit(cause mp.Cause, detail string) {
	if e.stop == nil {
		e.stop = &engine.Exit{Exit: mp.Exit{Cause: cause, Detail: detail}}
	}
}

// Run serves calls, timers and jobs. See engine.Engine.
func (e *Engine) Run(ctx context.Context) (err error) {
	defer func() { e.shut(err) }()
	defer e.recoverFault(&err)
	defer faultsPanic()()
	return e.loop(ctx, func() bool { return false })
}
