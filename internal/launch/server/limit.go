package server

import (
	"errors"
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
)

// allowed reports the first limit that nobody gets, or not from this launcher.
func (s *Server) allowed(l mp.Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	if key, got, most := l.Excess(s.cfg.Max); key != "" {
		return fmt.Errorf("limit %s of %v is above the launcher's %v", key, got, most)
	}
	return nil
}

// groupLimits are the limits that a worker's control groups hold.
func groupLimits(l mp.Limits) cgroup.Limits {
	return cgroup.Limits{
		Memory: l.Memory, MemorySoft: l.MemorySoft, Pids: l.Pids, CPU: l.CPU,
		CPUWeight: l.CPUWeight, IORate: l.IORate, IOWeight: l.IOWeight,
	}
}

// limit changes the limits of a running worker, all of them or none.
func (s *Server) limit(e *entry, l mp.Limits) error {
	if err := s.allowed(l); err != nil {
		return err
	}
	e.limiting.Lock()
	defer e.limiting.Unlock()
	if e.native && l.Files != e.limits.Files {
		return fmt.Errorf("the limit of open files stays %d: the kernel keeps it with each process", e.limits.Files)
	}
	if err := e.apply(l); err != nil {
		return errors.Join(err, e.apply(e.limits))
	}
	e.limits = l
	return nil
}

// apply tells the kernel of limits. Only a native program has a /tmp.
func (e *entry) apply(l mp.Limits) error {
	if err := e.worker.SetLimits(groupLimits(l)); err != nil || !e.native {
		return err
	}
	return e.worker.ResizeTmp(l.TmpBytes, l.TmpFiles)
}
