package server

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// freezeFor bounds how long a worker may take to stop: a system call that
// cannot be interrupted must come to its end.
const freezeFor = 2 * time.Second

var errGone = errors.New("there is no such worker")

// serve does what one request asks and answers it.
func (s *Server) serve(ctx context.Context, r launch.Request, files []*os.File) {
	switch r.Op {
	case launch.OpStart:
		s.start(r, files)
		return
	case launch.OpSample:
		s.answer(r, launch.Response{Samples: s.samples(r.IDs)}, nil)
		return
	}
	var answer launch.Response
	err := errGone
	if e := s.table.find(r.ID); e != nil {
		err = s.act(ctx, e, r, &answer)
	}
	s.answer(r, answer, err)
}

// act does what a request asks of a running worker.
func (s *Server) act(ctx context.Context, e *entry, r launch.Request, answer *launch.Response) (err error) {
	w := e.worker
	switch r.Op {
	case launch.OpLimit:
		return s.limit(e, *r.Limits)
	case launch.OpFreeze:
		ctx, cancel := context.WithTimeout(ctx, freezeFor)
		defer cancel()
		return w.Freeze(ctx)
	case launch.OpThaw:
		ctx, cancel := context.WithTimeout(ctx, freezeFor)
		defer cancel()
		return w.Group.Thaw(ctx)
	case launch.OpKill:
		return w.Kill()
	case launch.OpStat:
		e.learner.begin()
		answer.Stat, err = stat(w)
		return err
	}
	panic("request " + string(r.Op) + " was not checked") // cannot happen
}

// answer sends the answer to a request.
func (s *Server) answer(r launch.Request, a launch.Response, err error, files ...*os.File) {
	a.Seq = r.Seq
	if err != nil {
		err = isolate.MissingController(err)
		var missing *lock.MissingError
		if errors.As(err, &missing) {
			a.Missing = string(missing.Name)
		}
		a.Error, a.Gone = err.Error(), errors.Is(err, errGone)
	}
	s.send(a, files...)
}

// send sends a packet. A supervisor that is gone is noticed where it is read from.
func (s *Server) send(r launch.Response, files ...*os.File) {
	if len(r.Error) > maxError {
		r.Error = r.Error[:maxError]
	}
	if err := s.conn.Send(r, files...); err != nil {
		s.cfg.Log.Debug("cannot answer the supervisor", "err", err)
	}
}

// maxError keeps an answer, whose quotes may take six bytes each, well within a packet.
const maxError = 4096
