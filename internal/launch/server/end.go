package server

import (
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// await tells the supervisor of a worker's end, once nothing is left of it.
// Nothing else is told of the worker after that.
func (s *Server) await(e *entry) {
	ended, err := e.worker.Wait()
	if err != nil {
		s.cfg.Log.Error("worker has ended, but", "id", string(e.id), "err", err)
	}
	exited := launch.Exited{
		ID: e.id, Code: ended.Code, Signal: int(ended.Signal), OOM: ended.OOM(),
		CPUMicros: uint64(ended.Usage.CPU.Microseconds()), PeakBytes: ended.Usage.Peak,
	}
	s.lastWords(e, fatal(ended))
	if ended.Signal == syscall.SIGSYS {
		exited.Syscall = e.notes.call(e.worker.Pid)
	}
	exited.Learned = e.learner.result()
	e.notes.close()
	s.table.drop(e)
	s.send(launch.Response{Event: &exited})
}

// fatal is the signal that ended the worker, or the program that a native
// worker's code speaks of: 128 and the signal, as shells have it.
func fatal(e isolate.Ended) syscall.Signal {
	if e.Signal == 0 && e.Code > 128 {
		return syscall.Signal(e.Code - 128)
	}
	return e.Signal
}

// The kernel's records come independently of the end that they are about, the
// log's at its next tick.
const (
	wordsWait = 2 * lineWait
	wordsLook = 2 * time.Millisecond
)

// lastWords waits a moment for what the kernel has to say of a signal.
func (s *Server) lastWords(e *entry, signal syscall.Signal) {
	var said func() bool
	switch {
	case signal == syscall.SIGSYS && s.audit.f != nil:
		said = e.notes.hasKill
	case (signal == syscall.SIGSEGV || signal == syscall.SIGBUS || signal == syscall.SIGILL) && s.faults.hears():
		said = e.notes.hasFault
	default:
		return
	}
	for end := time.Now().Add(wordsWait); !said() && time.Now().Before(end); {
		time.Sleep(wordsLook)
	}
}
