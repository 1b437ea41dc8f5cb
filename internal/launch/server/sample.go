package server

import (
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// samples reads what workers use. It only reads the control groups' files, some
// hundred microseconds each; a worker that is not there, or not any more, is
// left out.
func (s *Server) samples(ids []mp.InstanceID) []launch.Sample {
	var all []launch.Sample
	for _, id := range ids {
		e := s.table.running(id)
		if e == nil {
			continue
		}
		u, err := e.worker.Group.Sample()
		if err != nil {
			s.cfg.Log.Debug("cannot sample worker", "id", string(id), "err", err)
			continue
		}
		all = append(all, launch.Sample{
			ID: id, CPU: u.CPU, Memory: u.Memory, Peak: u.Peak, Pids: u.Pids,
			Periods: u.Periods, Throttled: u.Throttled, Faults: u.Faults, MajorFaults: u.MajorFaults,
			Reclaimed: u.Reclaimed, Stalled: u.Stalled, OOMKills: u.OOMKills, Frozen: u.Frozen,
		})
	}
	return all
}
