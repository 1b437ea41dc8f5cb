package supervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// boot sends the program to its sealed worker and waits until the module has
// been evaluated, or the native program been executed. If the program ends by
// itself meanwhile there is no error.
func (i *instance) boot(ctx context.Context, conn *ipc.Conn, a attachments) error {
	files := a.stdio
	if i.prog.role != launch.RoleNative {
		file, err := i.prog.pack.Reopen()
		if err != nil {
			return fmt.Errorf("cannot open the package for its worker: %w", err)
		}
		defer file.Close()
		files = []*os.File{file}
	}
	begin, err := i.beginning(ctx)
	if err != nil {
		return err
	}
	defer begin.close()
	files = append(files, begin.files()...)
	bounds := i.bounds()
	message := bootOf(&i.prog, bounds)
	message.Heap = i.heapFor(bounds.Memory)
	message.Image = begin.file != nil
	message.UnixNano = time.Now().UnixNano()
	rand.Read(message.Seed[:])
	body, err := wire.Marshal(wire.MethodBoot, message)
	if err != nil {
		return err
	}
	i.enter()
	limit, cancel := context.WithTimeout(ctx, bounds.CallTimeout)
	defer cancel()
	answer, err := conn.Call(limit, body, files...)
	if err != nil {
		i.unloaded(&begin)
		return i.bootFailed(ctx, limit, err)
	}
	if i.prog.role == launch.RoleWasm {
		if answer, err = i.begins(ctx, conn, answer); answer == nil {
			return err
		}
	}
	return i.booted(ctx, conn, &begin, answer)
}

// enter notes that the program is about to be in the worker's hands.
func (i *instance) enter() {
	i.inbox.boot()
	i.mu.Lock()
	i.entered = true
	i.mu.Unlock()
}

// bootOf is what a worker is told, but for the seed and the time.
func bootOf(p *program, l mp.Limits) *wire.Boot {
	return &wire.Boot{
		AppID:       string(p.app),
		Entry:       p.entry,
		Heap:        heapOf(l.Memory),
		TurnMillis:  l.CallTimeout.Milliseconds(),
		ResultBytes: wire.MaxResult,
		LogRate:     l.LogRate,
		IPCRate:     l.IPCRate,
		Native:      p.native,
		Wasm:        p.wasm(l),
		Digest:      p.digest(),
	}
}

// bootFailed tells the program's own end from failures.
func (i *instance) bootFailed(ctx, limit context.Context, err error) error {
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return fmt.Errorf("the worker cannot load the package: %s: %w", firstLine(remote.Error()), mp.ErrBadPackage)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return i.endsItself(ctx, limit, "the module's evaluation")
}

// booted takes the answer to Boot, and tells the program that it is there.
func (i *instance) booted(ctx context.Context, conn *ipc.Conn, begin *beginning, answer []byte) error {
	var m wire.Booted
	if err := wire.Unmarshal(answer, &m); err != nil {
		i.violated(err)
		<-i.done
		return nil
	}
	if m.Error != nil {
		return fmt.Errorf("%w: its module threw %w", mp.ErrBadPackage, m.Error)
	}
	i.begun(begin, m.Image)
	i.mu.Lock()
	i.exports = m.Exports
	i.mu.Unlock()
	if err := i.launch(ctx, conn); err != nil {
		return err
	}
	if i.setState(starting, running) {
		i.tellRunning()
		return nil
	}
	<-i.done // something ended it in this very moment
	return nil
}

// tellRunning makes known that a program runs; a maker is nobody's.
func (i *instance) tellRunning() {
	if i.maker {
		return
	}
	i.sup.totals.count(&i.sup.totals.starts, 1)
	i.sup.watch.stir()
	i.sup.events.emit(eventRunning, i.id, i.app())
}
