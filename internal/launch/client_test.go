package launch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"golang.org/x/sys/unix"
)

// peer is a launcher that does what a test says.
type peer struct {
	t    testing.TB
	conn *Conn
}

func dial(t testing.TB) (*Client, *peer) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := NewConn(os.NewFile(uintptr(fds[1]), "launcher"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(os.NewFile(uintptr(fds[0]), "supervisor"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); conn.Close() })
	return c, &peer{t, conn}
}

func (p *peer) next() Request {
	p.t.Helper()
	var r Request
	files, err := p.conn.Receive(&r)
	if err != nil {
		p.t.Error(err)
	}
	CloseAll(files)
	return r
}

func (p *peer) say(r Response, files ...*os.File) {
	p.t.Helper()
	if err := p.conn.Send(r, files...); err != nil {
		p.t.Error(err)
	}
}

func TestAnswersInAnyOrder(t *testing.T) {
	c, p := dial(t)
	const n = 50
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s, err := c.Stat(t.Context(), mp.InstanceID("w"+strings.Repeat("x", i%10)))
			if err != nil || s.Pid != 100+i%10 {
				t.Errorf("%d: %+v %v", i, s, err)
			}
		})
	}
	var asked []Request
	for range n {
		asked = append(asked, p.next())
	}
	for i := range asked {
		r := asked[n-1-i]
		p.say(Response{Seq: r.Seq, Stat: &Stat{Pid: 100 + len(r.ID) - 1}})
	}
	wg.Wait()
}

func TestStartGetsThePidfd(t *testing.T) {
	c, p := dial(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	go func() {
		r := p.next()
		if r.Op != OpStart || r.Role != RoleJS || *r.Limits != mp.DefaultLimits() {
			t.Errorf("asked for %+v", r)
		}
		p.say(Response{Seq: r.Seq, Started: &Started{Pid: 7}}, null)
	}()
	s, f, err := c.Start(t.Context(), Start{ID: "a", Role: RoleJS, Limits: mp.DefaultLimits(), Channel: null, Birth: null, Stderr: null})
	if err != nil || s.Pid != 7 || f == nil {
		t.Fatal(s, f, err)
	}
	f.Close()
}

func TestProblems(t *testing.T) {
	for what, test := range map[string]struct {
		answer Response
		is     error
		says   string
	}{
		"missing": {Response{Error: "no such thing", Missing: "memory limit"}, mp.ErrMissing, "memory limit"},
		"gone":    {Response{Error: "x", Gone: true}, mp.ErrNotFound, "not found"},
		"other":   {Response{Error: "disk on fire"}, nil, "disk on fire"},
	} {
		t.Run(what, func(t *testing.T) {
			c, p := dial(t)
			go func() { test.answer.Seq = p.next().Seq; p.say(test.answer) }()
			err := c.Freeze(t.Context(), "a")
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestExitsWaitForNobody(t *testing.T) {
	c, p := dial(t)
	for i := range 100 {
		p.say(Response{Event: &Exited{ID: "a", Code: i}})
	}
	go func() { p.say(Response{Seq: p.next().Seq}) }()
	if err := c.Kill(t.Context(), "a"); err != nil { // answered although nobody takes the exits
		t.Error(err)
	}
	for i := range 100 {
		if e := <-c.Exits(); e.Code != i {
			t.Errorf("exit %d is %+v", i, e)
		}
	}
}

// What was told before an end can be taken before it, without waiting.
func TestNoticesComeBeforeTheEnd(t *testing.T) {
	c, p := dial(t)
	p.say(Response{Denied: &Denied{ID: "a", Syscall: "mount", Action: "killed", Count: 1}})
	p.say(Response{Fault: &Fault{ID: "a", Class: mp.FaultNull, Count: 1}})
	p.say(Response{Event: &Exited{ID: "a", Signal: 31}})
	<-c.Exits()
	for _, want := range []string{"mount", string(mp.FaultNull)} {
		select {
		case n := <-c.Notices():
			if (n.Denied == nil || n.Denied.Syscall != want) && (n.Fault == nil || string(n.Fault.Class) != want) {
				t.Errorf("got %+v, want %s", n, want)
			}
		default:
			t.Errorf("%s is not there yet", want)
		}
	}
}

// A flood of them holds up nothing, and leaves the newest.
func TestNoticesWaitForNobody(t *testing.T) {
	c, p := dial(t)
	const more = 100
	for i := range maxNotices + more {
		p.say(Response{Denied: &Denied{ID: "a", Count: uint64(i)}})
	}
	p.say(Response{Event: &Exited{ID: "a"}})
	<-c.Exits()
	for i := range maxNotices {
		if n := <-c.Notices(); n.Denied.Count != uint64(i+more) {
			t.Fatalf("notice %d is %+v", i, n.Denied)
		}
	}
	p.conn.Close()
	if n, ok := <-c.Notices(); ok {
		t.Errorf("one too many: %+v", n)
	}
}

func TestSample(t *testing.T) {
	c, p := dial(t)
	go func() {
		r := p.next()
		if r.Op != OpSample || r.ID != "" || len(r.IDs) != 2 {
			t.Errorf("asked for %+v", r)
		}
		p.say(Response{Seq: r.Seq, Samples: []Sample{{ID: "b", Pids: 3}}})
	}()
	if s, err := c.Sample(t.Context(), []mp.InstanceID{"a", "b"}); err != nil || len(s) != 1 || s[0].Pids != 3 {
		t.Errorf("got %+v %v", s, err)
	}
}

func TestStartThatIsLeftIsKilled(t *testing.T) {
	c, p := dial(t)
	null, _ := os.Open(os.DevNull)
	defer null.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		r := p.next()
		cancel()
		time.Sleep(10 * time.Millisecond) // answers late
		p.say(Response{Seq: r.Seq, Started: &Started{Pid: 7}}, null)
	}()
	if _, _, err := c.Start(ctx, Start{ID: "a", Role: RoleJS, Limits: mp.DefaultLimits(), Channel: null, Birth: null, Stderr: null}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for {
		if r := p.next(); r.Op == OpKill && r.ID == "a" {
			p.say(Response{Seq: r.Seq})
			return
		}
	}
}

func TestLauncherGone(t *testing.T) {
	c, p := dial(t)
	go func() { p.next(); p.conn.Close() }()
	if err := c.Kill(t.Context(), "a"); !errors.Is(err, io.EOF) {
		t.Errorf("a request under way gives %v", err)
	}
	<-c.Done()
	if c.Err() != io.EOF {
		t.Errorf("ended for %v", c.Err())
	}
	if err := c.Kill(t.Context(), "a"); !errors.Is(err, io.EOF) {
		t.Errorf("a later request gives %v", err)
	}
	if _, ok := <-c.Exits(); ok {
		t.Error("an exit from nowhere")
	}
}

// A launcher that breaks the protocol is none.
func TestBrokenLauncher(t *testing.T) {
	for what, packet := range map[string]string{
		"unknown member":   `{"seq":1,"extra":1}`,
		"not JSON":         `?`,
		"two objects":      `{"seq":1}{"seq":1}`,
		"answers nothing":  `{"seq":9}`,
		"event of nothing": `{}`,
	} {
		t.Run(what, func(t *testing.T) {
			c, p := dial(t)
			p.conn.raw.Control(func(fd uintptr) { unix.Send(int(fd), []byte(packet), 0) })
			<-c.Done()
			if c.Err() == nil || c.Err() == io.EOF {
				t.Errorf("ended for %v", c.Err())
			}
		})
	}
}

func TestAnswerWithoutWhatWasAskedFor(t *testing.T) {
	c, p := dial(t)
	go func() { p.say(Response{Seq: p.next().Seq}) }()
	if _, err := c.Stat(t.Context(), "a"); err == nil {
		t.Error("nothing is taken for a stat")
	}
	<-c.Done()
}

func TestOnlyPacketsOfTheRightKind(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	if c, err := NewClient(os.NewFile(uintptr(fds[0]), "stream")); err == nil {
		c.Close()
		t.Error("took a stream, which keeps no packets apart")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"seq":1,"op":"start","id":"a","role":"js","limits":{"memory":1,"pids":1,"cpu":1,"call_timeout":1,"log_rate":1}}`), 0)
	f.Add([]byte(`{"seq":1,"op":"stat","id":"a"} {}`), 0)
	f.Add([]byte(`{"seq":1e3,"id":"\ud800"}`), unix.MSG_TRUNC)
	f.Add([]byte(``), unix.MSG_CTRUNC)
	f.Fuzz(func(t *testing.T, b []byte, flags int) {
		var r Request
		if decode(b, flags, &r) != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		var second Request
		if err := decode(again, 0, &second); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if third, _ := json.Marshal(second); string(third) != string(again) {
			t.Fatalf("%s became %s", again, third)
		}
	})
}
