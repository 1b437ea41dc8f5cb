package server

import (
	"fmt"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// start makes a worker. Its answer goes out before any news of it can.
func (s *Server) start(r launch.Request, files []*os.File) {
	e, err := s.table.reserve(r.ID, newLedger(func(r launch.Response) { s.send(r) }))
	if err != nil {
		s.answer(r, launch.Response{}, err)
		return
	}
	w, err := s.launch(r, e, files)
	s.table.settle(e, w)
	if err != nil {
		s.answer(r, launch.Response{}, err)
		return
	}
	s.answer(r, launch.Response{Started: &launch.Started{
		Pid: w.Pid, StartTime: w.StartTime, Policy: mp.Digest(w.Policy),
	}}, nil, w.Pidfd)
	e.notes.open(w.Pid)
	go s.await(e)
}

// launch starts the worker that a request describes.
func (s *Server) launch(r launch.Request, e *entry, files []*os.File) (*isolate.Worker, error) {
	role, ok := s.cfg.Roles[r.Role]
	if !ok {
		return nil, fmt.Errorf("unknown role %.40q", string(r.Role))
	}
	if err := s.allowed(*r.Limits); err != nil {
		return nil, err
	}
	e.native, e.limits = role.Native, *r.Limits
	s.starts <- struct{}{}
	defer func() { <-s.starts }()
	spec, done, err := role.spec(r, e.slot, files, s.narrow)
	if err != nil {
		return nil, err
	}
	defer done()
	if role.Forks {
		s.faults.mourn()
	}
	w, err := s.cfg.Launcher.Start(spec)
	if err == nil && r.Learn {
		e.learner = learn(w, role.decider(r.Only), role.Native, func(err error) {
			s.cfg.Log.Warn("cannot record system calls", "id", string(r.ID), "err", err)
		})
	}
	return w, err
}
