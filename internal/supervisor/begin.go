package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/image"
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

const beganPrelude = "prelude" // its source was evaluated; else it is an mp.ImageKind

// start is what a program began with, and why with nothing quicker.
type start struct{ image, reason string }

// beginning is the image that a worker is given with its Boot, if any, and what
// there is to say if it is none.
type beginning struct {
	kind   mp.ImageKind
	file   *os.File
	reason string
}

func (b *beginning) close() {
	if b.file != nil {
		b.file.Close()
	}
}

// files are the descriptors that go with the package's.
func (b *beginning) files() []*os.File {
	if b.file == nil {
		return nil
	}
	return []*os.File{b.file}
}

// beginning finds the best image for the program. An error says that none was
// used up, and that the program must not begin.
func (i *instance) beginning(ctx context.Context) (beginning, error) {
	s := i.sup
	if i.prog.role == launch.RoleWasm {
		b, err := i.machineCode(ctx)
		i.reserve(&b)
		return b, err
	}
	if i.wake == nil || s.cfg.Images == nil {
		return i.ready(), nil
	}
	if i.wake.image != nil {
		file, err := image.Reopen(i.wake.image)
		return beginning{kind: mp.ImageInstance, file: file}, err
	}
	file, saved, err := s.cfg.Images.Take(i.id, i.workerBuild())
	i.wake.saved = saved
	unusable := (*image.UnusableError)(nil)
	switch {
	case err == nil:
		i.wake.sleeper.spent.Store(true)
		return beginning{kind: mp.ImageInstance, file: file}, nil
	case !errors.As(err, &unusable):
		return beginning{}, fmt.Errorf("cannot use up the program's image: %w", err)
	}
	i.wake.sleeper.spent.Store(true)
	b := i.ready()
	b.reason = unusable.Reason
	return b, nil
}

// ready is the ready image of the program's package, or the reason for which
// there is none.
func (i *instance) ready() beginning {
	s := i.sup
	if s.cfg.Images == nil || i.maker || i.prog.learn || i.prog.role != launch.RoleJS {
		return beginning{}
	}
	build := i.workerBuild()
	if f := s.cfg.Images.Ready(i.app(), i.prog.digest(), build); f != nil {
		return beginning{kind: mp.ImageReady, file: f}
	}
	return beginning{reason: s.makers.reason(i.prog.digest(), build)}
}

// workerBuild is the build of the worker as it said itself, before it had any
// code of the program's.
func (i *instance) workerBuild() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.build
}

// begun notes what the program began with, as its worker tells. An image with
// which it could not begin is of no use to the next one either.
func (i *instance) begun(b *beginning, told string) {
	if i.prog.role != launch.RoleJS {
		return
	}
	st := start{image: beganPrelude, reason: b.reason}
	if b.file != nil && told == wire.Restored {
		st.image = string(b.kind)
	} else if b.file != nil {
		st.reason = firstLine(told)
		if b.kind == mp.ImageReady {
			i.sup.cfg.Images.DropReady(i.prog.digest())
		}
	}
	i.mu.Lock()
	i.start = st
	i.mu.Unlock()
}
