package metric

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/mpsupervisor/mpsupervisor/internal/monitor"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// source answers with what was put into it last.
type source struct{ now atomic.Pointer[Snapshot] }

func (s *source) Metrics() Snapshot { return *s.now.Load() }

func newSource(s Snapshot) *source {
	var out source
	out.now.Store(&s)
	return &out
}

func two() Snapshot {
	counters := monitor.Counters{
		CPU: 1500 * time.Millisecond, Memory: 3 << 20, Pids: 7, Periods: 10, Throttled: 2, Faults: 100, MajorFaults: 5,
		Reclaimed: 4096, Stalled: 250 * time.Millisecond, Frozen: true, IPCMessages: 11, LogLines: 12, LogDropped: 3, Denials: 4,
	}
	born := time.Unix(1700000000, 0)
	return Snapshot{
		Programs: []Program{
			{ID: "abc", App: "com.example.loan", Runtime: "js", Started: born, Limits: mp.DefaultLimits(), Calls: 9, Throttled: true, Counters: counters},
			{ID: "def", App: "com.example.kiosk", Runtime: "native", Started: born, Limits: mp.DefaultLimits()},
		},
		MaxPrograms: 256, Starts: 5, StartFailures: 1, Ends: map[mp.Cause]uint64{mp.CauseRule: 2}, Denials: 77,
		Events: map[string]uint64{"started": 5}, Answers: map[Answer]uint64{{Rule: "cpu", Action: monitor.ActionThrottle}: 3},
		Quarantined: 1, Packages: 2, PackageBytes: 12345,
	}
}

func get(t *testing.T, h http.Handler, method, target string, body io.Reader) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, body))
	return w.Code, w.Body.String()
}

func TestMetrics(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Version = "v1.2"
	code, text := get(t, Handler(newSource(two()), cfg), "GET", Path, nil)
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, text)
	}
	const of = `{app_id="com.example.loan",id="abc"}`
	for _, want := range []string{
		"mp_program_info{app_id=\"com.example.loan\",id=\"abc\",runtime=\"js\"} 1",
		"mp_program_start_time_seconds" + of + " 1.7e+09",
		"mp_program_calls_total" + of + " 9",
		"mp_program_cpu_seconds_total" + of + " 1.5",
		"mp_program_cpu_limit" + of + " 1",
		"mp_program_quota_periods_total" + of + " 10",
		"mp_program_throttled_periods_total" + of + " 2",
		"mp_program_memory_bytes" + of + " 3.145728e+06",
		"mp_program_memory_limit_bytes" + of + " 6.7108864e+07",
		"mp_program_memory_reclaimed_bytes_total" + of + " 4096",
		"mp_program_memory_stalled_seconds_total" + of + " 0.25",
		"mp_program_page_faults_total" + of + " 100",
		"mp_program_major_page_faults_total" + of + " 5",
		"mp_program_pids" + of + " 7",
		"mp_program_pids_limit" + of + " 32",
		"mp_program_ipc_messages_total" + of + " 11",
		"mp_program_log_lines_total" + of + " 12",
		"mp_program_log_lines_dropped_total" + of + " 3",
		"mp_program_denials_total" + of + " 4",
		"mp_program_frozen" + of + " 1",
		"mp_program_throttled" + of + " 1",
		`mp_program_throttled{app_id="com.example.kiosk",id="def"} 0`,
		"mp_programs 2", "mp_programs_limit 256", "mp_starts_total 5", "mp_start_failures_total 1",
		`mp_ends_total{cause="monitor rule"} 2`, `mp_ends_total{cause="seccomp"} 0`, "mp_denials_total 77",
		`mp_events_total{type="started"} 5`, `mp_monitor_answers_total{action="throttle",rule="cpu"} 3`,
		"mp_quarantined_packages 1", "mp_packages 2", "mp_package_bytes 12345", `mp_build_info{version="v1.2"} 1`,
	} {
		if !strings.Contains("\n"+text, "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	for _, of := range []string{"\ngo_goroutines ", "\nprocess_open_fds ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(text, of) {
			t.Errorf("there is no %q", of)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestEveryProgramMetricIsTold makes sure that each is there for each program.
func TestEveryProgramMetricIsTold(t *testing.T) {
	_, text := get(t, Handler(newSource(two()), DefaultConfig()), "GET", Path, nil)
	if n := strings.Count(text, `{app_id="com.example.kiosk",id="def"}`); n != len(ofPrograms) {
		t.Errorf("%d metrics of a program, want %d", n, len(ofPrograms))
	}
}

func TestLint(t *testing.T) {
	_, text := get(t, Handler(newSource(two()), DefaultConfig()), "GET", Path, nil)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	// The control: a name without a unit, and a counter that does not say so, are found.
	problems, err = promlint.New(strings.NewReader("# TYPE mp_x_milliseconds counter\nmp_x_milliseconds 1\n")).Lint()
	if err != nil || len(problems) == 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestEndedProgramsDisappear(t *testing.T) {
	s := newSource(two())
	h := Handler(s, DefaultConfig())
	if _, text := get(t, h, "GET", Path, nil); !strings.Contains(text, `id="abc"`) {
		t.Fatal("the program is not there")
	}
	less := two()
	less.Programs = less.Programs[1:]
	s.now.Store(&less)
	_, text := get(t, h, "GET", Path, nil)
	if strings.Contains(text, `id="abc"`) || !strings.Contains(text, `id="def"`) {
		t.Error("the program that ended is there, or the other is not")
	}
}

func TestHostileLabels(t *testing.T) {
	for _, app := range []string{"a\"} 1\nmp_evil 1\n", "\xff\xfe", "\x1b[2J\u202e", strings.Repeat("é", 1000), strings.Repeat("a", 127) + "é", "", `\`} {
		s := two()
		s.Programs = s.Programs[:1]
		s.Programs[0].App = mp.AppID(app)
		code, text := get(t, Handler(newSource(s), DefaultConfig()), "GET", Path, nil)
		if code != http.StatusOK || strings.Contains(text, "\nmp_evil") || !utf8.ValidString(text) {
			t.Errorf("%q: status %d, %s", app, code, text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q: printed as it is: %q", app, text[i:i+10])
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "mp_program_pids{") && len(line) > 3*maxLabel+100 {
				t.Errorf("%.20q: a line of %d bytes", app, len(line))
			}
		}
	}
}

func TestOtherRequests(t *testing.T) {
	h := Handler(newSource(two()), DefaultConfig())
	for _, tt := range []struct {
		method, target string
		want           int
	}{
		{"HEAD", Path, 200}, {"POST", Path, 405}, {"DELETE", Path, 405}, {"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/metrics/x", 404},
	} {
		if code, _ := get(t, h, tt.method, tt.target, nil); code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.target, code, tt.want)
		}
	}
}

// serve serves on a Unix socket of its own and returns how to dial it.
func serve(t *testing.T, source Source, cfg Config) func() (net.Conn, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "metrics.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(source, cfg)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Shutdown(context.Background())
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() (net.Conn, error) { return net.Dial("unix", path) }
}

func TestServerManyAtOnce(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxScrapes = 64
	dial := serve(t, newSource(two()), cfg)
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() }}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 40 { // more than connections
		wg.Go(func() {
			r, err := client.Get("http://mp" + Path)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
				t.Errorf("status %d, %v", r.StatusCode, err)
			}
		})
	}
	wg.Wait()
}

// TestServerBounds holds all connections open without a word: another waits,
// and is served when the silent ones have had their time.
func TestServerBounds(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxConns, cfg.Timeout, cfg.MaxHeader = 2, 200*time.Millisecond, 1<<10
	dial := serve(t, newSource(two()), cfg)
	for range cfg.MaxConns {
		c, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if code := ask(t, dial, ""); code != http.StatusOK {
		t.Errorf("status %d", code)
	}
	if code := ask(t, dial, "X: "+strings.Repeat("x", 8<<10)+"\r\n"); code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: status %d", code)
	}
}

func ask(t *testing.T, dial func() (net.Conn, error), header string) int {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: mp\r\n%s\r\n", Path, header)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

func TestBusy(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxScrapes = 1
	held, release := make(chan struct{}), make(chan struct{})
	h := Handler(slow{held, release}, cfg)
	go get(t, h, "GET", Path, nil)
	<-held
	if code, _ := get(t, h, "GET", Path, nil); code != http.StatusServiceUnavailable {
		t.Errorf("status %d", code)
	}
	close(release)
}

type slow struct{ held, release chan struct{} }

func (s slow) Metrics() Snapshot {
	close(s.held)
	<-s.release
	return Snapshot{}
}
