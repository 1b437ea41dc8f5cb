package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

const (
	// imageSlack is what an image may have beyond the program's memory limit:
	// what describes the heap's pages, and what was shared with the prelude.
	imageSlack = 64 << 20
	// imageTime is what a worker may take to write an image, beyond the longest
	// turn of its event loop, which has to end first.
	imageTime = 10 * time.Second
)

// refusedImage is why a worker made no image; the program goes on.
type refusedImage struct{ reason string }

func (e *refusedImage) Error() string { return e.reason }

// suspend has the worker write an image of its program and run nothing more of
// it. The image comes in a sealed memory file, which the caller closes. After a
// *refusedImage the program goes on; after any other error it ends.
func (i *instance) suspend(ctx context.Context, conn *ipc.Conn, kind mp.ImageKind) (*os.File, error) {
	body, err := wire.Marshal(wire.MethodSuspend, &wire.Suspend{Kind: kind})
	if err != nil {
		return nil, err
	}
	in, err := newIntake(i.bounds().Memory + imageSlack)
	if err != nil {
		return nil, &refusedImage{err.Error()}
	}
	defer in.close()
	limit, cancel := i.timeout(ctx, i.bounds().CallTimeout+imageTime)
	defer cancel()
	answer, err := conn.Call(limit, body, in.theirs)
	in.theirs.Close()
	if err != nil {
		return nil, i.suspendFailed(ctx, limit, err)
	}
	var m wire.Suspended
	if err := wire.Unmarshal(answer, &m); err != nil {
		return nil, i.suspendBroke(ctx, err)
	}
	if m.Refused != "" {
		return nil, &refusedImage{firstLine(m.Refused)}
	}
	if err := in.finish(i.sup.timing.kill); err != nil {
		return nil, i.suspendBroke(ctx, err)
	}
	return in.seal()
}

// suspendFailed says why there was no answer. A worker that says so itself has
// no image; whatever else is the matter, the program ends by it.
func (i *instance) suspendFailed(ctx, limit context.Context, err error) error {
	remote := (*ipc.RemoteError)(nil)
	switch {
	case errors.As(err, &remote):
		return &refusedImage{firstLine(remote.Error())}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if err := i.endsItself(ctx, limit, "suspending"); err != nil {
		return err
	}
	return i.endedError()
}

func (i *instance) suspendBroke(ctx context.Context, rule error) error {
	i.violated(rule)
	return i.endedSoon(ctx)
}

// intake takes an image from a worker, through a pipe and into memory, and no
// more than so many bytes.
type intake struct {
	theirs *os.File // goes to the worker
	ours   *os.File
	memory *os.File
	most   int64
	done   chan struct{} // closed when the pipe ended, or too much came
	got    int64
	err    error
}

func newIntake(most int64) (*intake, error) {
	memory, err := image.NewMemory("image")
	if err != nil {
		return nil, err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		memory.Close()
		return nil, fmt.Errorf("cannot make a pipe for the image: %w", err)
	}
	in := &intake{theirs: theirs, ours: ours, memory: memory, most: most, done: make(chan struct{})}
	go in.read()
	return in, nil
}

func (in *intake) read() {
	defer close(in.done)
	in.got, in.err = io.Copy(in.memory, io.LimitReader(in.ours, in.most+1))
	in.ours.Close() // a worker that has more to write has nobody to write to
}

// finish reports whether an image came, and its end within d.
func (in *intake) finish(d time.Duration) error {
	in.ours.SetReadDeadline(time.Now().Add(d))
	<-in.done
	switch {
	case errors.Is(in.err, os.ErrDeadlineExceeded):
		return errors.New("did not end the image that it wrote")
	case in.err != nil && !errors.Is(in.err, os.ErrClosed):
		return fmt.Errorf("wrote an image that cannot be taken: %w", in.err)
	case in.got > in.most:
		return fmt.Errorf("wrote an image of more than %d bytes", in.most)
	case in.got == 0:
		return errors.New("wrote no image, and no reason")
	}
	return nil
}

// seal gives the image; close does not concern it then.
func (in *intake) seal() (*os.File, error) {
	memory := in.memory
	in.memory = nil
	return image.Seal(memory)
}

func (in *intake) close() {
	in.theirs.Close()
	in.ours.Close()
	<-in.done
	if in.memory != nil {
		in.memory.Close()
	}
}
