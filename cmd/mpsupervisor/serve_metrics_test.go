package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/metric"
)

// counted is a source that has nothing to tell but its own limit.
type counted struct{}

func (counted) Metrics() metric.Snapshot { return metric.Snapshot{MaxPrograms: 7} }

// free is an address that nobody listens on now.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func scrape(t *testing.T, network, address string) string {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("http://metrics" + metric.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func metricsDaemon(listen string) *daemon {
	d := &daemon{config: config.Default(), log: slog.New(slog.DiscardHandler)}
	d.config.Metrics.Listen = listen
	return d
}

func TestMetricsListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.sock")
	for _, listen := range []string{free(t), "unix:" + path} {
		d := metricsDaemon(listen)
		if err := d.config.Check(); err != nil {
			t.Fatal(err)
		}
		l, err := d.listenMetrics(control.Access{})
		if err != nil {
			t.Fatal(err)
		}
		stop := d.serveMetrics(l, counted{})
		network, address := d.config.Metrics.Address()
		if text := scrape(t, network, address); !strings.Contains(text, "\nmp_programs_limit 7\n") {
			t.Errorf("%s answers %.500s", listen, text)
		}
		stop()
		if _, err := net.Dial(network, address); err == nil {
			t.Errorf("%s is served after the stop", listen)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
}

func TestMetricsNowhere(t *testing.T) {
	d := metricsDaemon("")
	l, err := d.listenMetrics(control.Access{})
	if l != nil || err != nil {
		t.Errorf("nothing configured: %v, %v", l, err)
	}
	d.serveMetrics(l, counted{})()
	d = metricsDaemon(free(t))
	d.options.inPlace = true
	if l, err := d.listenMetrics(control.Access{}); l != nil || err != nil {
		t.Errorf("in place: %v, %v", l, err)
	}
}

// An address that is taken, and one that others than this host could reach, stop
// the daemon.
func TestMetricsRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := metricsDaemon(taken.Addr().String()).listenMetrics(control.Access{}); err == nil || !strings.Contains(err.Error(), "cannot serve metrics") {
		t.Errorf("taken: %v", err)
	}
	for _, listen := range []string{"0.0.0.0:9464", ":9464", "10.0.0.1:9464", "localhost:9464", "127.0.0.1:0", "unix:relative", "/run/x"} {
		if err := metricsDaemon(listen).config.Check(); err == nil || !strings.Contains(err.Error(), "metrics") {
			t.Errorf("%s: %v", listen, err)
		}
	}
}
