package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/metric"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// metricsPatience is how long a scrape under way may take when the daemon stops.
const metricsPatience = time.Second

// listenMetrics opens what the configuration says, while this is still root. It
// is nil if the metrics are not wanted. A supervisor in place has none: the next
// one would find the address taken.
//
// The configuration was checked: the address is one of this host's own, or a
// path. A socket there belongs to those who may use the control socket.
func (d *daemon) listenMetrics(access control.Access) (net.Listener, error) {
	network, address := d.config.Metrics.Address()
	if network == "" || d.options.inPlace {
		return nil, nil
	}
	if network == "unix" {
		l, err := control.Listen(address, groupOf(access))
		if err != nil {
			return nil, fmt.Errorf("cannot serve metrics: %w", err)
		}
		return l, nil
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics: %w", err)
	}
	return l, nil
}

// serveMetrics answers on l, if there is one, until the function that it
// returns is called.
func (d *daemon) serveMetrics(l net.Listener, source metric.Source) (stop func()) {
	if l == nil {
		return func() {}
	}
	cfg := metric.DefaultConfig()
	cfg.Version, cfg.Log = mp.Version, d.log
	s := metric.NewServer(source, cfg)
	go func() {
		if err := s.Serve(l); err != nil {
			d.log.Error("no more metrics are served", "error", err)
		}
	}()
	d.log.Info("serving metrics", "listen", d.config.Metrics.Listen)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), metricsPatience)
		defer cancel()
		s.Shutdown(ctx)
	}
}
