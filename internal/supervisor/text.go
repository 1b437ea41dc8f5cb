package supervisor

import (
	"strconv"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
)

func itoa(n int) string    { return strconv.Itoa(n) }
func utoa(n uint64) string { return strconv.FormatUint(n, 10) }

// refused records a call that was refused.
func (s *Supervisor) refused(p control.Peer, procedure string, why error) {
	s.events.emitRefused("uid", utoa(uint64(p.UID)), "pid", itoa(int(p.PID)), "call", procedure, "reason", why.Error())
}
