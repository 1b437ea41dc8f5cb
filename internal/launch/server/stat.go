package server

import (
	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// stat looks at a worker from outside.
func stat(w *isolate.Worker) (*launch.Stat, error) {
	locks, err := w.Verify()
	if err != nil {
		return nil, err
	}
	u, err := w.Group.Stat()
	if err != nil {
		return nil, err
	}
	s := &launch.Stat{
		Pid: w.Pid, State: "running", CPU: u.CPU, Memory: u.Memory,
		Peak: u.Peak, Pids: u.Pids, Throttled: u.Throttled,
	}
	if frozen, err := w.Group.Frozen(); err == nil && frozen {
		s.State = "frozen"
	}
	for _, l := range locks {
		s.Locks = append(s.Locks, launch.Lock{Name: string(l.Name), Want: l.Want, Found: l.Found, OK: l.OK, Later: l.Later})
	}
	return s, nil
}
