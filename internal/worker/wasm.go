package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/wasm"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// begin is a Begin on its way from the channel to the main goroutine.
type begin struct {
	ctx   context.Context
	reply chan<- wire.Booted
}

// maxCompilers bounds the threads that compile one module.
const maxCompilers = 4

// tuneWasm gives the roles of WebAssembly what they need of Go's runtime, before
// the filter: a module that runs occupies a thread and does not give it up, and
// the channel needs another; a compiler takes what processors there are.
func tuneWasm(role Role) {
	switch {
	case role.Wasm:
		runtime.GOMAXPROCS(2)
	case role.Compile:
		runtime.GOMAXPROCS(min(runtime.NumCPU(), maxCompilers))
		debug.SetGCPercent(100)
	}
}

func (w *worker) openWasm() (err error) {
	w.wasm = wasm.New(w.outside())
	w.engine, w.image = w.wasm, "none: the program is one of WebAssembly"
	w.build, _ = js.BuildID()
	w.narrow, err = readStack(fdOther, "filter of a running module")
	return err
}

func (w *worker) openCompile() error {
	w.image = "none: nothing is run"
	w.build, _ = js.BuildID()
	return os.NewFile(fdOther, "nothing").Close()
}

// loadWasm makes machine code of the module, or takes it, and seals the process
// for good. The supervisor hears of it and looks at the process from outside; at
// its Begin, which b goes on with, the module runs.
func (w *worker) loadWasm(b *boot) ([]string, error) {
	code, err := mapCode(b.image)
	if err != nil {
		return nil, err
	}
	m := b.msg.Wasm
	debug.SetMemoryLimit(goMemory + m.TmpBytes) // files in /tmp are of Go's heap
	err = w.wasm.Prepare(b.ctx, w.program(*b), wasm.Own{Code: code, Args: m.Args, TmpBytes: m.TmpBytes, TmpFiles: m.TmpFiles})
	if code != nil {
		unix.Munmap(code)
	}
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	if err := w.report.Finish(w.narrow); err != nil {
		return nil, err
	}
	w.end.turn.Store(int64(w.program(*b).Turn))
	w.end.prepared.Store(true)
	b.reply <- wire.Booted{Image: w.took(code)}
	next := <-w.begins
	b.ctx, b.reply = next.ctx, next.reply
	return w.engine.Load(b.ctx, w.program(*b))
}

// took says whether the code that came was used, or why not.
func (w *worker) took(code []byte) string {
	switch from := w.wasm.Loaded(); {
	case code == nil:
		return ""
	case from == "loaded":
		return wire.Restored
	default:
		return cut(strings.TrimPrefix(from, "compiled: "))
	}
}

// mapCode maps the compiled form of a module, whose pages all workers share.
func mapCode(f *os.File) ([]byte, error) {
	if f == nil {
		return nil, nil
	}
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the compiled module: %w", err)
	}
	if st.Size() == 0 {
		return nil, nil
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("cannot map the compiled module: %w", err)
	}
	return b, nil
}

// handleBegin has the module run. Its answer is that of a Boot of the other
// engines. The supervisor gives it up at its deadline, a moment before ours comes:
// the program ends by ours.
func (w *worker) handleBegin(b []byte) ([]byte, error) {
	if err := wire.Unmarshal(b, &wire.Begin{}); err != nil {
		w.refuse(err)
	}
	if !w.end.prepared.CompareAndSwap(true, false) {
		w.refuse(errors.New("a Begin came, and there is no module that has not begun"))
	}
	ctx, cancel := awake.Timeout(context.Background(), time.Duration(w.end.turn.Load()))
	defer cancel()
	reply := make(chan wire.Booted, 1)
	w.begins <- begin{ctx, reply}
	r := <-reply
	return wire.MarshalReply(&r)
}

// compile writes the compiled form of the module into the pipe that came. Then
// there is nothing more to do: the supervisor ends the process.
func (w *worker) compile(b boot) error {
	module, err := fs.ReadFile(b.files, b.msg.Entry)
	if err != nil {
		return fmt.Errorf("cannot read the module: %w", err)
	}
	code, err := wasm.Compile(b.ctx, module)
	var guest *mp.GuestError
	switch {
	case errors.As(err, &guest):
		b.reply <- wire.Booted{Error: guest}
		select {}
	case err != nil:
		return err
	}
	if _, err := b.image.Write(code); err != nil {
		return fmt.Errorf("cannot give the compiled module: %w", err)
	}
	b.image.Close() // the reader waits for the end
	b.reply <- wire.Booted{}
	select {}
}
