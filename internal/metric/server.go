package metric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Path is where the metrics are.
const Path = "/metrics"

// Config bounds what scrapers may ask of a Server.
type Config struct {
	Version    string        // of this program, for a label
	Timeout    time.Duration // for the request to come, and for the answer to go
	Idle       time.Duration // of a connection between two requests
	MaxHeader  int           // bytes of a request, which has no body
	MaxConns   int           // at once; more wait
	MaxScrapes int           // at once; more are told to come again
	Log        *slog.Logger
}

// DefaultConfig has room for a few scrapers that ask every few seconds.
func DefaultConfig() Config {
	return Config{Timeout: 10 * time.Second, Idle: time.Minute, MaxHeader: 8 << 10, MaxConns: 16, MaxScrapes: 4,
		Log: slog.New(slog.DiscardHandler)}
}

// Handler answers GET and HEAD of Path with the metrics of a source, of the Go
// runtime and of this process.
func Handler(source Source, cfg Config) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collector{source},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(cfg.Version),
	)
	scrape := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.HTTPErrorOnError,
		DisableCompression:  true, // it stays on this host
		MaxRequestsInFlight: cfg.MaxScrapes,
		Timeout:             cfg.Timeout,
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		scrape.ServeHTTP(w, r)
	})
	return mux
}

func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mp_build_info", Help: "1, with the version of the supervisor.",
		ConstLabels: prometheus.Labels{"version": label(version)},
	}, func() float64 { return 1 })
}

// Server serves metrics within bounds.
type Server struct {
	http  http.Server
	conns int
}

// NewServer makes a server; Serve starts it.
func NewServer(source Source, cfg Config) *Server {
	return &Server{
		http: http.Server{
			Handler:           Handler(source, cfg),
			ReadHeaderTimeout: cfg.Timeout,
			ReadTimeout:       cfg.Timeout,
			WriteTimeout:      2 * cfg.Timeout, // it includes the time of reading
			IdleTimeout:       cfg.Idle,
			MaxHeaderBytes:    cfg.MaxHeader,
			ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		},
		conns: cfg.MaxConns,
	}
}

// Serve answers on l until Shutdown; it closes l. Its error is nil after Shutdown.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(newBounded(l, s.conns))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("cannot serve the metrics: %w", err)
}

// Shutdown lets answers under way finish until ctx ends, and closes the rest.
func (s *Server) Shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}
