package worker

import (
	"context"
	"errors"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/awake"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// imageKinds are the engine's names of what the wire calls otherwise.
var imageKinds = map[mp.ImageKind]js.ImageKind{
	mp.ImageReady:    js.ReadyImage,
	mp.ImageInstance: js.InstanceImage,
}

// handleSuspend has the engine write an image of the program into the pipe that
// came. After it the process only waits to be ended.
func (w *worker) handleSuspend(ctx context.Context, b []byte, files []*os.File) ([]byte, error) {
	defer closeAll(files)
	var m wire.Suspend
	if err := wire.Unmarshal(b, &m); err != nil {
		w.refuse(err)
	}
	limit := w.end.callLimit()
	if w.js == nil || limit == 0 || len(files) != 1 {
		w.refuse(errors.New("a Suspend came, and there is no JavaScript program, or not one pipe"))
	}
	ctx, cancel := awake.Timeout(ctx, limit)
	defer cancel()
	result := make(chan error, 1)
	w.js.Suspend(ctx, imageKinds[m.Kind], files[0], func(err error) { result <- err })
	if err := <-result; err != nil {
		return wire.MarshalReply(&wire.Suspended{Refused: reasonOf(err)})
	}
	return wire.MarshalReply(&wire.Suspended{})
}

// reasonOf is an error as a message takes it, cut to its length.
func reasonOf(err error) string {
	var impure *js.ImpureError
	if errors.As(err, &impure) {
		return cut(impure.Reason)
	}
	return cut(err.Error())
}

func cut(s string) string {
	if len(s) <= wire.MaxName {
		return s
	}
	n := wire.MaxName
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.ToValidUTF8(s[:n], "")
}

// begun says what the program began with, in answer to a Boot with an image.
func (w *worker) begun(b boot) string {
	if w.js == nil || b.image == nil {
		return ""
	}
	from := w.js.Loaded()
	if from == wire.Restored {
		return from
	}
	return cut(strings.TrimPrefix(from, "evaluated: "))
}
