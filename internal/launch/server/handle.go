package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// freezeFor bounds how long a worker may take to stop: a system call that
// cannot be interrupted must come to its end.
const freezeFor = 2 * time.Second

var errGone = errors.New("there is no such worker")

// serve does what one request asks and answers it.
func (s *Server) serve(ctx context.Context, r launch.Request, files []*os.File) {
	if r.Op == launch.OpStart {
		s.start(r, files)
		return
	}
	var answer launch.Response
	w := s.table.find(r.ID)
	err := errGone
	if w != nil {
		err = s.act(ctx, w, r, &answer)
	}
	s.answer(r, answer, err)
}

// act does what a request asks of a running worker.
func (s *Server) act(ctx context.Context, w *isolate.Worker, r launch.Request, answer *launch.Response) (err error) {
	switch r.Op {
	case launch.OpLimit:
		if err := s.allowed(*r.Limits); err != nil {
			return err
		}
		return w.SetLimits(groupLimits(*r.Limits))
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
		answer.Stat, err = stat(w)
		return err
	}
	panic("request " + string(r.Op) + " was not checked") // cannot happen
}

// allowed reports the first limit that nobody gets, or not from this launcher.
func (s *Server) allowed(l mp.Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	top := s.cfg.Max
	switch {
	case l.Memory > top.Memory:
		return fmt.Errorf("memory limit %d is above the launcher's %d bytes", l.Memory, top.Memory)
	case l.Pids > top.Pids:
		return fmt.Errorf("pids limit %d is above the launcher's %d", l.Pids, top.Pids)
	case l.CPU > top.CPU:
		return fmt.Errorf("cpu limit %g is above the launcher's %g processors", l.CPU, top.CPU)
	}
	return nil
}

func groupLimits(l mp.Limits) cgroup.Limits {
	return cgroup.Limits{Memory: l.Memory, Pids: l.Pids, CPU: l.CPU}
}

// start makes a worker. Its answer goes out before the news of its end can.
func (s *Server) start(r launch.Request, files []*os.File) {
	e, err := s.table.reserve(r.ID)
	if err != nil {
		s.answer(r, launch.Response{}, err)
		return
	}
	w, err := s.launch(r, e.slot, files)
	s.table.settle(r.ID, e, w)
	if err != nil {
		s.answer(r, launch.Response{}, err)
		return
	}
	s.audit.watch(w.Pid)
	s.answer(r, launch.Response{Started: &launch.Started{
		Pid: w.Pid, StartTime: w.StartTime, Policy: mp.Digest(w.Policy),
	}}, nil, w.Pidfd)
	go s.await(r.ID, e)
}

// launch starts the worker that a request describes.
func (s *Server) launch(r launch.Request, slot uint32, files []*os.File) (*isolate.Worker, error) {
	role, ok := s.cfg.Roles[r.Role]
	if !ok {
		return nil, fmt.Errorf("unknown role %.40q", string(r.Role))
	}
	if err := s.allowed(*r.Limits); err != nil {
		return nil, err
	}
	s.starts <- struct{}{}
	defer func() { <-s.starts }()
	return s.cfg.Launcher.Start(isolate.Spec{
		ID:     string(r.ID),
		Slot:   slot,
		Env:    role.Env,
		Stderr: files[2],
		Files:  append([]*os.File{files[0], files[1]}, role.Files...),
		Limits: groupLimits(*r.Limits),
		Filter: role.Filter,
	})
}

// await tells the supervisor of a worker's end, once nothing is left of it.
func (s *Server) await(id mp.InstanceID, e *entry) {
	ended, err := e.worker.Wait()
	if err != nil {
		s.cfg.Log.Error("worker has ended, but", "id", string(id), "err", err)
	}
	exited := launch.Exited{
		ID: id, Code: ended.Code, Signal: int(ended.Signal), OOM: ended.OOM(),
		CPUMicros: uint64(ended.Usage.CPU.Microseconds()), PeakBytes: ended.Usage.Peak,
	}
	exited.Syscall = s.audit.unwatch(e.worker.Pid, ended.Signal == syscall.SIGSYS)
	s.table.drop(id, e)
	s.send(launch.Response{Event: &exited})
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
