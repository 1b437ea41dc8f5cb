// Package server is the launcher's end of the protocol in package launch: it
// turns requests into workers.
//
// It is the only part of the privileged half that reads what somebody else
// wrote, so it takes no more from a request than the protocol gives it: a name,
// one of the roles that it knows, and limits within its own. A packet that
// breaks the protocol ends the connection, and with it every worker: whoever
// sends such a packet is not the supervisor that was started with us.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
)

// Config is what a Server works with.
type Config struct {
	Launcher *isolate.Launcher
	Roles    map[launch.Role]Role
	Slots    int       // workers at once
	UIDBase  uint32    // where their user ids begin on the host, and how many each has,
	UIDCount uint32    // as the Launcher was opened with
	Max      mp.Limits // of one worker
	Log      *slog.Logger
}

// startsAtOnce bounds the starts under way. More would only wait for each other.
const startsAtOnce = 8

// requestsAtOnce bounds the requests under way. Above it the launcher does not
// read on, and the supervisor waits.
const requestsAtOnce = 256

// Server serves one supervisor.
type Server struct {
	cfg    Config
	conn   *launch.Conn
	table  *table
	audit  *audit
	faults *faults
	narrow *narrowed
	starts chan struct{} // a place for each start under way
	busy   chan struct{} // a place for each request under way
	work   sync.WaitGroup
}

// Serve answers requests until the supervisor is gone or ctx ends, then ends
// every worker and removes everything. The error is nil if it came to that in
// order.
func Serve(ctx context.Context, f *os.File, cfg Config) error {
	conn, err := launch.NewConn(f)
	if err != nil {
		return err
	}
	t := newTable(cfg.Slots, users{cfg.UIDBase, cfg.UIDCount})
	s := &Server{
		cfg: cfg, conn: conn, table: t, audit: hear(cfg.Log, t.owner), faults: watch(cfg.Log, t), narrow: newNarrowed(),
		starts: make(chan struct{}, startsAtOnce), busy: make(chan struct{}, requestsAtOnce),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := context.AfterFunc(ctx, func() { s.conn.Close() })
	err = s.read(ctx)
	if !asked() || errors.Is(err, io.EOF) {
		err = nil
	}
	cancel()
	s.conn.Close()
	s.work.Wait() // starts under way become workers or nothing
	s.endAll()
	s.audit.close()
	s.faults.close()
	return err
}

// read takes requests until there are no more.
func (s *Server) read(ctx context.Context) error {
	for {
		var r launch.Request
		files, err := s.conn.Receive(&r)
		if err != nil {
			return err
		}
		if err := check(r, len(files)); err != nil {
			launch.CloseAll(files)
			return fmt.Errorf("supervisor broke the protocol: %w", err)
		}
		s.busy <- struct{}{}
		s.work.Go(func() {
			defer func() { <-s.busy }()
			defer launch.CloseAll(files)
			s.serve(ctx, r, files)
		})
	}
}

// endAll ends every worker that is left, says which, and waits until nothing
// is left of them.
func (s *Server) endAll() {
	left := s.table.all()
	level := slog.LevelInfo // it has ended them itself, in order
	if len(left) > 0 {
		level = slog.LevelWarn
	}
	s.cfg.Log.Log(context.Background(), level, "the supervisor is gone: ending its workers", "workers", len(left))
	for _, e := range left {
		s.cfg.Log.Info("ending worker", "id", e.worker.ID, "pid", e.worker.Pid)
		if err := e.worker.Kill(); err != nil {
			s.cfg.Log.Error("cannot end worker", "id", e.worker.ID, "err", err)
		}
	}
	for _, e := range left {
		<-e.gone
	}
}
