package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// Limits of one server.
const (
	maxMessage    = 2 << 20 // bytes of a request or of one message of a stream
	maxHeader     = 16 << 10
	maxConns      = 512
	maxStrangers  = 16 // of maxConns, for peers without a role
	maxStreams    = 128
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// ServerConfig says what a Server serves, and to whom.
type ServerConfig struct {
	Handler controlpbconnect.ControlHandler
	Access  Access
	// Refused is told of every call that was refused, and why. It must not block.
	Refused func(p Peer, procedure string, why error)
	Log     *slog.Logger
}

// Server serves the control API.
type Server struct {
	http    http.Server
	access  atomic.Pointer[Access]
	refused func(Peer, string, error)
	log     *slog.Logger
	slots   slots
}

// NewServer makes a server; Serve starts it.
func NewServer(cfg ServerConfig) *Server {
	s := &Server{refused: cfg.Refused, log: cfg.Log, slots: slots{max: maxConns, strangers: maxStrangers}}
	s.SetAccess(cfg.Access)
	mux := http.NewServeMux()
	mux.Handle(controlpbconnect.NewControlHandler(cfg.Handler,
		connect.WithRequestGate(s.authorise),
		connect.WithInterceptors(translate(encode)),
		connect.WithReadMaxBytes(maxMessage),
		connect.WithSendMaxBytes(maxMessage),
	))
	s.http = http.Server{
		Handler:           withFiles(mux),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
	return s
}

// withFiles lets a request take the descriptors of its connection, if the
// connection carries one request at a time. What it does not take is closed
// when it has been answered.
func withFiles(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*conn)
		switch {
		case ok && r.ProtoMajor == 1:
			defer c.drop()
			r = r.WithContext(context.WithValue(r.Context(), fileKey{}, c))
		case ok:
			c.drop()
		}
		next.ServeHTTP(w, r)
	})
}

// SetAccess changes who may call, from the next call on. Calls under way stay.
func (s *Server) SetAccess(a Access) { s.access.Store(&a) }

// authorise runs before anything of the request's body is read.
func (s *Server) authorise(ctx context.Context, spec connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
	p, ok := PeerFrom(ctx)
	if !ok { // cannot happen: every connection is a *conn
		return nil, encode(fmt.Errorf("%w: the caller is not known", ErrDenied))
	}
	access := s.access.Load()
	if access.Role(p) == RoleOperator {
		return ctx, nil
	}
	err := access.denial(p)
	s.refused(p, spec.Procedure, err)
	return nil, encode(err)
}

// Serve answers on l until Shutdown; it closes l. Its error is nil after Shutdown.
func (s *Server) Serve(l *Listener) error {
	err := s.http.Serve(&acceptor{Listener: l, server: s})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("cannot serve the control API: %w", err)
}

// Shutdown stops accepting, lets calls under way finish until ctx ends, and
// then closes their connections.
func (s *Server) Shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

// acceptor makes a *conn of each connection, within the bounds.
type acceptor struct {
	*Listener
	server *Server
}

func (a *acceptor) Accept() (net.Conn, error) {
	for {
		uc, err := a.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if c := a.server.admit(uc); c != nil {
			return c, nil
		}
	}
}

// admit returns nil, and closes the connection, if it cannot be served.
func (s *Server) admit(uc *net.UnixConn) net.Conn {
	p, err := peerOf(uc)
	if err != nil {
		s.log.Warn("connection refused", "reason", err)
		uc.Close()
		return nil
	}
	release := s.slots.take(s.access.Load().Role(p) == RoleNone)
	if release == nil {
		s.log.Warn("connection refused", "reason", "too many are open", "uid", p.UID, "pid", p.PID)
		uc.Close()
		return nil
	}
	return &conn{UnixConn: uc, peer: p, release: release}
}
