package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/native"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/wasm"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// The descriptors that the launcher leaves us.
const (
	fdChannel = 3
	fdBirth   = 4
	fdFilters = 5
	fdOther   = 6 // of js the heap image, of native and wasm the filters that come later
)

// Exit codes of our own. A program's own codes may be the same: then its
// Ending says so.
const (
	codeCrashed     = 70 // our code failed, or the engine's; standard error says where
	codeChannelGone = 71 // the channel ended
	codeMissing     = 72 // a required lock is missing
	codeProtocol    = 73 // what came over the channel broke a rule
	codeLimit       = 74 // the program overstepped a limit; the Ending says which
)

// maxFilters bounds a marshalled seccomp.Stack, in bytes: each program by what
// the kernel takes (BPF_MAXINSNS), and what precedes it.
const maxFilters = seccomp.MaxStack * (4096*8 + 8)

// worker is one process's state.
type worker struct {
	role   Role
	engine engine.Engine
	native *native.Engine // the same, if the role is a native one
	js     *js.Engine     // the same, if it is JavaScript's
	wasm   *wasm.Engine   // the same, if it is WebAssembly's
	image  string         // what there is to say of the heap image
	build  string         // of this executable; "" if images cannot be bound to it
	narrow seccomp.Stack  // of the roles native and wasm: what is put on when the program is there
	report enter.Report   // of Enter
	log    *logger
	asks   *asker
	conn   *ipc.Conn
	boots  chan boot // what HandleCall hands to the main goroutine, as the next one
	begins chan begin
	end    ender
	churn  churn
}

// inherited is what the launcher left, read.
type inherited struct {
	birth   wire.Birth
	filters seccomp.Stack
	channel *os.File
}

// Main runs the worker and returns the process's exit code.
func Main(role Role) (code int) {
	defer func() {
		if r := recover(); r != nil {
			code = crash(r)
		}
	}()
	tune(role)
	w := &worker{role: role, log: newLogger(), boots: make(chan boot), begins: make(chan begin)}
	w.asks = newAsker(w.refuse)
	if err := w.run(); err != nil {
		return w.finish(err)
	}
	return 0
}

// tune keeps Go's own heap small: it holds messages and nothing that lasts.
func tune(role Role) {
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(goMemory)
	tuneWasm(role)
}

// goMemory is where the collector begins to work hard, in bytes.
const goMemory = 32 << 20

func (w *worker) run() error {
	if err := w.open(); err != nil {
		return err
	}
	in, err := inherit()
	if err != nil {
		return err
	}
	if err := w.connect(in); err != nil {
		return err
	}
	w.report, err = enter.Enter(enter.Config{
		Filters: in.filters, Native: w.role.Native, Code: w.role.Wasm, Learn: w.role.Learn, Keep: []int{0, 1, 2, fdChannel},
	})
	if err != nil {
		return err
	}
	if err := w.sayJustSealed(w.report); err != nil {
		return err
	}
	return w.serve()
}

// inherit reads and closes the descriptors that are of no use after Enter.
func inherit() (in inherited, err error) {
	pipe := os.NewFile(fdBirth, "birth pipe")
	b, err := readAll(pipe, pipe, wire.MaxBirth)
	if err != nil {
		return in, err
	}
	if in.birth, err = wire.UnmarshalBirth(b); err != nil {
		return in, err
	}
	clear(b) // it holds the secret
	if in.filters, err = readStack(fdFilters, "filter"); err != nil {
		return in, err
	}
	in.channel = os.NewFile(fdChannel, "channel")
	return in, nil
}

// readStack reads a descriptor that every worker has, as one open file with one
// offset: it must not move.
func readStack(fd uintptr, name string) (seccomp.Stack, error) {
	f := os.NewFile(fd, name)
	b, err := readAll(f, io.NewSectionReader(f, 0, maxFilters+1), maxFilters)
	if err != nil {
		return nil, err
	}
	stack, err := seccomp.ParseStack(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read the %s: %w", name, err)
	}
	return stack, nil
}

// readAll reads at most limit bytes of an inherited descriptor and closes it.
func readAll(f *os.File, from io.Reader, limit int64) ([]byte, error) {
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the %s: %w", f.Name(), err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("the %s holds more than %d bytes", f.Name(), limit)
	}
	return b, nil
}

// connect shakes hands. From here on the channel's end is ours.
func (w *worker) connect(in inherited) error {
	conn, err := ipc.New(context.Background(), in.channel, ipc.Config{
		Secret: in.birth.Secret, Prologue: in.birth.Prologue(), Handler: w,
	})
	if err != nil {
		return &channelError{err}
	}
	w.conn = conn
	w.log.conn, w.asks.conn = conn, conn
	go w.watchChannel()
	return nil
}

// sayJustSealed tells the supervisor that the locks are on.
func (w *worker) sayJustSealed(r enter.Report) error {
	m := &wire.Sealed{Landlock: r.LandlockABI, Image: w.image, Build: w.build}
	for _, name := range r.Locks {
		m.Locks = append(m.Locks, string(name))
	}
	b, err := wire.Marshal(wire.MethodSealed, m)
	if err != nil {
		return err
	}
	if err := w.conn.Notify(context.Background(), b); err != nil {
		return &channelError{err}
	}
	return nil
}

// channelError is why there is no channel.
type channelError struct{ err error }

func (e *channelError) Error() string { return "the channel failed: " + e.err.Error() }
func (e *channelError) Unwrap() error { return e.err }

// codeOf is the exit code for an error of ours.
func codeOf(err error) int {
	var missing *lock.MissingError
	var broken *ipc.ProtocolError
	var channel *channelError
	switch {
	case errors.As(err, &missing):
		return codeMissing
	case errors.As(err, &broken):
		return codeProtocol
	case errors.As(err, &channel):
		return codeChannelGone
	}
	return codeCrashed
}
