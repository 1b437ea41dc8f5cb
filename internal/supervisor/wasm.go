package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// What a worker that compiles gets, as far as the host's maximum allows.
const (
	compileMemory = 1 << 30
	compileCPU    = 4
	compileTime   = 2 * time.Minute
)

// machineCode is the compiled form of the program's module, which its worker
// begins with.
func (i *instance) machineCode(ctx context.Context) (beginning, error) {
	file, err := i.sup.coder.code(ctx, &i.prog, i.workerBuild())
	if err != nil {
		return beginning{}, err
	}
	return beginning{file: file}, nil
}

// reserve notes what the program's code takes of its worker's memory, before its
// heap gets the rest: the code itself, and what the engine knows of the module.
func (i *instance) reserve(b *beginning) {
	if b.file == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.taken = 2 * sizeOf(b.file)
}

// heapFor is the guest's heap limit within the worker's memory limit.
func (i *instance) heapFor(memory int64) int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return max(heapOf(memory)-i.taken, minHeap)
}

// unloaded drops the code with which a worker of the role wasm did not answer
// Boot: nothing of the program has run by then that could be the reason.
func (i *instance) unloaded(b *beginning) {
	if i.prog.role == launch.RoleWasm && b.file != nil {
		i.sup.coder.refused(&i.prog, "a worker could not load it")
	}
}

// begins has the module run in a worker that has its code and answered Boot. The
// locks that were to come are looked at before that. It returns the answer in the
// place of Boot's.
func (i *instance) begins(ctx context.Context, conn *ipc.Conn, answer []byte) ([]byte, error) {
	var m wire.Booted
	if err := wire.Unmarshal(answer, &m); err != nil || m.Error != nil {
		return answer, nil // booted says what is wrong
	}
	if m.Image != wire.Restored {
		i.sup.coder.refused(&i.prog, firstLine(m.Image))
	}
	if err := i.sup.verifyAll(ctx, i); err != nil {
		return nil, err
	}
	body, err := wire.Marshal(wire.MethodBegin, &wire.Begin{})
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeout(ctx, i.bounds().CallTimeout)
	defer cancel()
	if answer, err = conn.Call(limit, body); err != nil {
		return nil, i.bootFailed(ctx, limit, err)
	}
	return answer, nil
}

// verifyAll is verify for a worker that has set the last of its locks.
func (s *Supervisor) verifyAll(ctx context.Context, i *instance) error {
	stat, err := s.cfg.Launcher.Stat(ctx, i.id)
	if err != nil {
		return fmt.Errorf("cannot verify the worker's locks: %w", err)
	}
	for _, l := range stat.Locks {
		if l.Later {
			return fmt.Errorf("%w: %s: found %q, want %q", mp.ErrMissing, l.Name, l.Found, l.Want)
		}
	}
	return checkLocks(stat.Locks)
}

// compile has a worker of its own compile the program's module, and gives what
// came of it in a sealed memory file. The worker gets the package and nothing
// else, and runs nothing of it.
func (s *Supervisor) compile(ctx context.Context, p program) (*os.File, error) {
	settings := s.current()
	p.role = launch.RoleWasmCompile
	limits := p.limits.Over(settings.Default)
	limits.Memory = max(limits.Memory, min(compileMemory, settings.Max.Memory))
	limits.CPU = max(limits.CPU, min(compileCPU, settings.Max.CPU))
	limits.CallTimeout = max(limits.CallTimeout, min(compileTime, settings.Max.CallTimeout))
	i := newInstance(s, p, limits, settings)
	i.maker = true
	if _, err := s.packages.acquire(p.digest()); err != nil { // the instance's own
		return nil, err
	}
	if _, err := s.admit(i); err != nil {
		s.packages.release(p.pack)
		return nil, err
	}
	conn, err := s.seal(ctx, i, attachments{})
	if err != nil {
		return nil, s.undo(i, err)
	}
	f, err := i.compiles(ctx, conn)
	i.end(verdict{cause: mp.CauseKilled, detail: "it was there to compile a module"})
	within(i.done, s.timing.undo)
	if err != nil {
		exit, _ := i.result()
		return nil, explain(err, exit)
	}
	return f, nil
}

// compiles has a sealed worker compile the package's module.
func (i *instance) compiles(ctx context.Context, conn *ipc.Conn) (*os.File, error) {
	file, err := i.prog.pack.Reopen()
	if err != nil {
		return nil, fmt.Errorf("cannot open the package for its compiler: %w", err)
	}
	defer file.Close()
	in, err := newIntake(maxCode)
	if err != nil {
		return nil, err
	}
	defer in.close()
	message := bootOf(&i.prog, i.bounds())
	message.UnixNano = time.Now().UnixNano()
	body, err := wire.Marshal(wire.MethodBoot, message)
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeoutCause(ctx, i.bounds().CallTimeout, errors.New("compiling the module took too long"))
	defer cancel()
	answer, err := conn.Call(limit, body, file, in.theirs)
	in.theirs.Close()
	if err != nil {
		return nil, i.notCompiled(limit, err)
	}
	var m wire.Booted
	if err := wire.Unmarshal(answer, &m); err != nil {
		i.violated(err)
		return nil, err
	}
	if m.Error != nil {
		return nil, fmt.Errorf("%w: %w", mp.ErrBadPackage, m.Error)
	}
	if err := in.finish(i.sup.timing.grace); err != nil {
		return nil, fmt.Errorf("the compiler %w", err)
	}
	return in.seal()
}

// notCompiled says why there is no answer.
func (i *instance) notCompiled(limit context.Context, err error) error {
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return fmt.Errorf("the compiler failed: %s", firstLine(remote.Error()))
	case limit.Err() != nil:
		return fmt.Errorf("%w: %w", mp.ErrBadPackage, context.Cause(limit))
	}
	within(i.done, i.sup.timing.linger)
	return fmt.Errorf("the compiler ended: %w", err)
}
