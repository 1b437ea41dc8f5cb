package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// boot is a Boot on its way from the channel to the main goroutine.
type boot struct {
	ctx   context.Context
	msg   wire.Boot
	files fs.FS      // the package; none for a native program
	image *os.File   // that the program begins with, if one came
	stdio []*os.File // of a native program, if they came
	reply chan<- wire.Booted
}

// serve waits for the Boot and then runs the program. It returns the reason
// for which it ended.
func (w *worker) serve() error {
	b := <-w.boots // the channel's end ends the process
	w.log.setRate(b.msg.LogRate)
	w.asks.setRate(b.msg.IPCRate)
	if w.role.Compile {
		return w.compile(b)
	}
	exports, err := w.load(&b)
	var guest *mp.GuestError
	switch {
	case errors.As(err, &guest):
		b.reply <- wire.Booted{Error: guest}
		select {} // nothing to run: the supervisor ends us
	case err != nil:
		return err
	}
	w.end.setCallLimit(b.msg.TurnMillis)
	b.reply <- wire.Booted{Exports: exports, Image: w.begun(b)}
	return w.engine.Run(context.Background())
}

func (w *worker) program(b boot) engine.Program {
	return engine.Program{
		AppID:  b.msg.AppID,
		Files:  b.files,
		Entry:  b.msg.Entry,
		Seed:   b.msg.Seed,
		Start:  time.Unix(0, b.msg.UnixNano),
		Heap:   b.msg.Heap,
		Stack:  stackFor(b.msg.Heap),
		Turn:   time.Duration(b.msg.TurnMillis) * time.Millisecond,
		Result: b.msg.ResultBytes,
		Digest: b.msg.Digest,
		Image:  b.image,

		IPCRate: b.msg.IPCRate,
		Exec:    execOf(b),
	}
}

// The stack is Go's, outside of the heap's limit and inside the cgroup's. It
// doubles as it grows, and old and new are there at once for a moment.
const (
	minStack = 2 << 20
	maxStack = 16 << 20
)

func stackFor(heap int64) int64 { return min(max(heap/4, minStack), maxStack) }

// HandleCall takes the supervisor's requests, each on a goroutine of its own.
func (w *worker) HandleCall(ctx context.Context, body []byte, files []*os.File) (reply []byte, err error) {
	defer w.guard()
	method, rest, err := wire.Split(body)
	if err != nil {
		w.refuse(err)
	}
	// What the guest wrote before it answered arrives before the answer: whoever
	// asked may have no more use for the program then.
	defer w.log.send(context.Background())
	switch method {
	case wire.MethodBoot:
		return w.handleBoot(ctx, rest, files)
	case wire.MethodCall:
		closeAll(files)
		return w.handleCall(ctx, rest)
	case wire.MethodSignal:
		closeAll(files)
		return w.handleSignal(rest)
	case wire.MethodHeap:
		closeAll(files)
		return w.handleHeap(rest)
	case wire.MethodSuspend:
		return w.handleSuspend(ctx, rest, files)
	case wire.MethodEvent:
		closeAll(files)
		return w.handleEvent(ctx, rest)
	case wire.MethodBegin:
		closeAll(files)
		return w.handleBegin(rest)
	}
	w.refuse(fmt.Errorf("request %d is not known", method))
	return nil, nil // not reached
}

// HandleNotify refuses: the supervisor has nothing to tell without a reply.
func (w *worker) HandleNotify(body []byte) {
	w.refuse(fmt.Errorf("a notification of %d bytes came", len(body)))
}

func (w *worker) handleBoot(ctx context.Context, b []byte, files []*os.File) (_ []byte, err error) {
	var m wire.Boot
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	if len(files) != w.descriptors(&m) || !w.end.boot() {
		w.refuse(fmt.Errorf("a Boot with %d descriptors, for another role, or a second one", len(files)))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(m.TurnMillis)*time.Millisecond)
	defer cancel()
	reply := make(chan wire.Booted, 1)
	next := boot{ctx: ctx, msg: m, reply: reply}
	if w.native != nil {
		next.stdio = files
	} else if next.files, err = openPackage(files[0]); err != nil {
		return nil, err
	}
	if len(files) == 2 { // of a native program there are others
		next.image = files[1]
		defer next.image.Close() // what is mapped of it stays
	}
	w.boots <- next
	r := <-reply
	return wire.MarshalReply(&r)
}

// descriptors is how many come with a Boot: the package, and an image if it has
// one, or a pipe for one, or a native program's standard ones; -1 if the Boot is
// for another role.
func (w *worker) descriptors(m *wire.Boot) int {
	wasm := w.role.Wasm || w.role.Compile
	switch {
	case (w.native != nil) != (m.Native != nil), wasm != (m.Wasm != nil), wasm && w.role.Compile != m.Wasm.Compile:
		return -1
	case w.native == nil && (m.Image || w.role.Compile):
		return 2
	case w.native == nil:
		return 1
	case m.Native.Stdio:
		return 3
	}
	return 0
}

// openPackage keeps the file open: it is read from as the program imports.
func openPackage(f *os.File) (fs.FS, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot open the package: %w", err)
	}
	return archive.Files(f, st.Size())
}

func (w *worker) handleCall(ctx context.Context, b []byte) ([]byte, error) {
	var m wire.Call
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	limit := w.end.callLimit()
	if limit == 0 {
		w.refuse(errors.New("a Call came before the program was there"))
	}
	ctx, cancel := awake.Timeout(ctx, limit)
	defer cancel()
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 1)
	w.engine.Call(ctx, m.Name, m.Input, func(output []byte, err error) { c <- answer{output, err} })
	a := <-c
	var exit *engine.Exit
	if errors.As(a.err, &exit) {
		select {} // the process is about to end, which says why: an answer would get ahead of it
	}
	w.churn.add(len(b) + len(a.output))
	return w.reply(a.output, a.err)
}

// reply turns a call's outcome into a message. An error that is none of the
// guest's making travels as the channel's own.
func (w *worker) reply(output []byte, err error) ([]byte, error) {
	r := wire.Reply{Output: output}
	var guest *mp.GuestError
	var large *engine.TooLargeError
	switch {
	case errors.As(err, &guest):
		r.Error = guest
	case errors.As(err, &large):
		r.TooLarge = large.Size
	case errors.Is(err, mp.ErrNotFound):
		r.NotFound = true
	case err != nil:
		return nil, err
	}
	return wire.MarshalReply(&r)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
