package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

func TestCalls(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	for _, c := range []struct{ name, input, want, err string }{
		{"echo", `{"a": 1}`, `{"a":1}`, ""},
		{"echo", "[1,\n2]", `[1,2]`, ""},
		{"echo", `"<é>"`, `["<é>"]`, ""},
		{"echo", ` 5 `, `[5]`, ""},
		{"echo", ``, `"none"`, ""},
		{"null", ``, `null`, ""},
		{"other answer", ``, `1`, ""},
		{"big", `1000000`, `"` + strings.Repeat("x", 1000000) + `"`, ""},
		{"plain error", ``, ``, "Error: it broke"},
		{"full error", ``, ``, "RangeError: too far"},
		{"other data", ``, ``, "Error: m"},
		{"long error", ``, ``, "Error: " + strings.Repeat("é", wire.MaxErrText/2)},
		{"no error", ``, ``, "Error: the program failed, and its error is none of JSON-RPC's"},
		{"both", ``, ``, "Error: the program's answer has not one of result and error"},
		{"neither", ``, ``, "Error: the program's answer has not one of result and error"},
		{"echo", `{`, ``, "SyntaxError: the input is not JSON: unexpected end of JSON input"},
		{"echo", "\"\xff\"", ``, "SyntaxError: the input is not JSON: it is not UTF-8"},
	} {
		got, err := b.do(context.Background(), c.name, c.input)
		var guest *mp.GuestError
		if got != c.want || (err != nil) != (c.err != "") || err != nil && (!errors.As(err, &guest) || guest.Error() != c.err) {
			t.Errorf("%s(%s): %.100s, %.100v", c.name, c.input, got, err)
		}
	}
	if _, err := b.do(context.Background(), "full error", ""); err.(*mp.GuestError).Stack != "at f (a.c:1)" {
		t.Error(err)
	}
	if _, err := b.do(context.Background(), "nothing", ""); !errors.Is(err, mp.ErrNotFound) {
		t.Error(err)
	}
	var large *engine.TooLargeError
	if _, err := b.do(context.Background(), "big", fmt.Sprint(1<<20-1)); !errors.As(err, &large) || large.Size != 1<<20+1 {
		t.Error(err)
	}
}

// The longest input and the longest result fit.
func TestLongest(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	input := `["` + strings.Repeat("x", wire.MaxInput-4) + `"]`
	if got, err := b.do(context.Background(), "echo", input); got != input {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if got, err := b.do(context.Background(), "echo", fmt.Sprintf("[%d]", i)); got != fmt.Sprintf("[%d]", i) {
				t.Errorf("%d: %s, %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

func TestTooManyCalls(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	for range maxCalls {
		b.Call(context.Background(), "never", nil, func([]byte, error) {})
	}
	if _, err := b.do(context.Background(), "echo", ""); err != errQueue {
		t.Error(err)
	}
}

// A call that is given up is answered at once, and its answer is dropped.
func TestGivenUp(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := b.do(ctx, "never", ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := b.do(ctx, "never", ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := b.do(context.Background(), "echo", "[1]"); got != "[1]" {
		t.Error(got, err)
	}
}

// Who does not answer in time ends, and all its calls with it: one that serves
// calls, one that knows nothing of them, one that is stopped.
func TestDeadline(t *testing.T) {
	for name, p := range map[string]engine.Program{
		"serves": role(t, "serve"), "sleeps": role(t, "sleeps"), "stopped": program("busybox", "sh", "-c", "kill -STOP $$"),
	} {
		t.Run(name, func(t *testing.T) {
			b := mustStart(t, p)
			other := make(chan error, 1)
			b.Call(context.Background(), "never", nil, func(_ []byte, err error) { other <- err })
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			_, err := b.do(ctx, "never", "")
			for _, err := range []error{err, <-other} {
				var x *engine.Exit
				if !errors.As(err, &x) || x.Cause != mp.CauseCallLimit {
					t.Errorf("the call: %v", err)
				}
			}
			if x := b.ended(); x.Cause != mp.CauseCallLimit {
				t.Error(x)
			}
		})
	}
}

// The end of a program is the end of its calls.
func TestEndDuringCall(t *testing.T) {
	b := mustStart(t, role(t, "serve"))
	_, err := b.do(context.Background(), "leave", "12")
	var x *engine.Exit
	if !errors.As(err, &x) || x.Cause != mp.CauseExited || x.Code != 12 {
		t.Error(err)
	}
	if _, err := b.do(context.Background(), "echo", ""); !errors.As(err, &x) {
		t.Error(err)
	}
}

// A program that closes its descriptor lives on, and answers nothing.
func TestCloses(t *testing.T) {
	for name, act := range map[string]func(b *bench){
		"closes": func(*bench) {},
		"serve": func(b *bench) {
			if _, err := b.do(context.Background(), "close", ""); err != errClosed {
				t.Errorf("the open call: %v", err)
			}
		},
	} {
		b := mustStart(t, role(t, name))
		act(b)
		b.waitFor("info closed")
		for range 2 {
			if _, err := b.do(context.Background(), "echo", ""); err != errClosed {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := b.Signal(9); err != nil {
			t.Error(err)
		}
		if x := b.ended(); x.Signal != 9 {
			t.Error(x)
		}
	}
}

// What is no line of JSON ends the program, which is told why, once.
func TestBroken(t *testing.T) {
	for name, told := range map[string]string{
		"garbage": "a line is not JSON", "not UTF-8": "a line is not JSON", "deep": "a line is not JSON", "long line": "a line is too long",
	} {
		t.Run(name, func(t *testing.T) {
			b := mustStart(t, role(t, name))
			if x := b.ended(); x.Cause != mp.CauseProtocol || !strings.Contains(x.Detail, told) {
				t.Error(x)
			}
			want := `info {"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"` + told + `"}}`
			if got := b.logs.String(); got != want {
				t.Errorf("told %s", got)
			}
		})
	}
}

// Breaking the bridge counts even if the program ends before that is seen.
func TestBrokenAtEnd(t *testing.T) {
	for range 20 {
		if x := shell(t, "echo garbage >&3").ended(); x.Cause != mp.CauseProtocol {
			t.Fatal(x)
		}
	}
}

// Half a line at the end is what a program leaves that is killed while it
// writes: it is nothing.
func TestHalfALine(t *testing.T) {
	if x := mustStart(t, role(t, "half a line")).ended(); x != (mp.Exit{Cause: mp.CauseExited}) {
		t.Error(x)
	}
}

func TestNeverReads(t *testing.T) {
	b := mustStart(t, role(t, "never reads"))
	if x := b.ended(); x.Cause != mp.CauseProtocol || x.Detail != unread {
		t.Error(x)
	}
}

// Calls that nobody reads fill the queue, and end the program.
func TestNeverReadsCalls(t *testing.T) {
	b := mustStart(t, role(t, "sleeps"))
	input := bytes.Repeat([]byte("1"), wire.MaxInput)
	for range maxQueue/wire.MaxInput + 1 {
		b.Call(context.Background(), "f", input, func([]byte, error) {})
	}
	if x := b.ended(); x.Cause != mp.CauseProtocol || x.Detail != unread {
		t.Error(x)
	}
}

// Descriptors that the program sends never arrive.
func TestDescriptorsAreDropped(t *testing.T) {
	b := mustStart(t, role(t, "descriptors"))
	before := open(t)
	b.waitFor("info sent")
	if after := open(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if got := b.logs.String(); got != "info sent" {
		t.Error(got)
	}
}

// open counts our descriptors.
func open(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// What was asked before the end is done.
func TestSaysMuch(t *testing.T) {
	b := mustStart(t, role(t, "says much"))
	b.ended()
	if n := len(b.logs.lines); n != 100 || b.logs.lines[99] != "debug 99" {
		t.Errorf("%d lines", n)
	}
}

// TestConversation is what a program sends and what it is told.
func TestConversation(t *testing.T) {
	p := role(t, "converses")
	for sent, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"method":"app"}`:                                    `{"jsonrpc":"2.0","id":1,"result":{"id":"com.example.test"}}`,
		`{"jsonrpc":"2.0","id":"<a\u0041> ","method":"app","params":[]}`:             `{"jsonrpc":"2.0","id":"<a\u0041> ","result":{"id":"com.example.test"}}`,
		`{"jsonrpc":"2.0","id":-1.50e3,"method":"app"}`:                              `{"jsonrpc":"2.0","id":-1.50e3,"result":{"id":"com.example.test"}}`,
		`{"jsonrpc":"2.0","id":null,"method":"app"}`:                                 `{"jsonrpc":"2.0","id":null,"result":{"id":"com.example.test"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"nosuch"}`:                                 `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method \"nosuch\": not found"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"log","params":{}}`:                        `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params of log: level and text are needed"}}`,
		`{"jsonrpc":"2.0","id":1,"method":5}`:                                        `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"neither a request nor an answer of JSON-RPC 2.0"}}`,
		`{"jsonrpc":"1.0","id":1,"method":"app"}`:                                    `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"neither a request nor an answer of JSON-RPC 2.0"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"app","result":1}`:                         `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"neither a request nor an answer of JSON-RPC 2.0"}}`,
		`{"jsonrpc":"2.0","id":{},"method":"app"}`:                                   `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the id is neither a number, nor a string, nor null, or it is too long"}}`,
		`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", maxID) + `","method":"app"}`: `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the id is neither a number, nor a string, nor null, or it is too long"}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"app"}]`:                                  `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches of requests are not taken"}}`,
		`17`: `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"neither a request nor an answer of JSON-RPC 2.0"}}`,
	} {
		q := p
		q.Exec = &engine.Exec{Args: p.Exec.Args, Env: append(p.Exec.Env, "LINES_TO_SEND="+sent+"\n")}
		b := mustStart(t, q)
		b.ended()
		if got := b.logs.String(); got != "info "+want {
			t.Errorf("%.100s: %s", sent, got)
		}
	}
}

// Notifications are not answered, whatever is wrong with them.
func TestNotifications(t *testing.T) {
	p := role(t, "converses")
	p.Exec.Env = append(p.Exec.Env, "LINES_TO_SEND="+`{"jsonrpc":"2.0","method":"log","params":{"level":"warn","text":"w"}}
{"jsonrpc":"2.0","method":"nosuch"}
{"jsonrpc":"2.0","method":"log"}
{"jsonrpc":"2.0","id":4,"method":"nosuch"}
`)
	b := mustStart(t, p)
	b.waitFor(`info {"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"method \"nosuch\": not found"}}`)
	if n := strings.Count(b.logs.String(), "\n"); n != 1 || !strings.HasPrefix(b.logs.String(), "warn w\n") {
		t.Errorf("%s", b.logs)
	}
}

// A program that asks faster than its rate waits. The bucket is full at first.
func TestRate(t *testing.T) {
	p := role(t, "says much")
	p.IPCRate = 50
	b := New(&logs{})
	now := time.Now()
	b.program = p
	rate := newBucket(p.IPCRate)
	rate.filled = now
	for i := range 50 {
		if d := rate.take(now); d != 0 {
			t.Errorf("request %d waits %v", i, d)
		}
	}
	for i := 1; i <= 3; i++ {
		if d, want := rate.take(now), time.Duration(i)*20*time.Millisecond; d.Round(time.Millisecond) != want {
			t.Errorf("request %d above the rate waits %v, want %v", i, d, want)
		}
	}
	if d := rate.take(now.Add(time.Hour)); d != 0 {
		t.Errorf("after an hour: %v", d)
	}
}

// While one program waits for its rate, it still can be called and ended.
func TestWaitingProgram(t *testing.T) {
	p := role(t, "never reads")
	p.IPCRate = 1
	b := mustStart(t, p)
	if err := b.Signal(9); err != nil {
		t.Fatal(err)
	}
	if x := b.ended(); x.Signal != 9 {
		t.Error(x)
	}
}

// FuzzParse holds that whatever a program sends is answered by one line of
// JSON, if it is answered.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"app"}`, `{"jsonrpc":"2.0","id":"a","method":"log","params":{"level":"info","text":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"a":[1,2]}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m","data":{"stack":"s"}}}`,
		`[]`, `{"id":{}}`, `nul`, "\xff", `{"jsonrpc":"2.0","ID":1,"Method":"x"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		m, err := parse(line)
		var reply []byte
		switch {
		case err != nil:
			reply = answer(m.ID, nil, err)
		case m.isAnswer():
			out, err := outcome("f", m, 100)
			if (out == nil) == (err == nil) || len(out) > 100 {
				t.Fatalf("%s, %v", out, err)
			}
			return
		default:
			result, err := engine.Ask(engine.Guest{Program: &engine.Program{AppID: "a"}, Host: &logs{}}, *m.Method, m.Params)
			reply = answer(m.ID, result, err)
		}
		body, found := bytes.CutSuffix(reply, []byte{'\n'})
		if !found || bytes.IndexByte(body, '\n') >= 0 || !json.Valid(body) {
			t.Fatalf("%q is answered by %q", line, reply)
		}
	})
}

// FuzzLines holds that a stream is cut at its newlines however it arrives, and
// that no more is kept than may be.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nbb\nrest"), 3)
	f.Add(bytes.Repeat([]byte("0123456789\n"), 1000), 7)
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		const most = 100
		step = max(1, step%5000)
		l := lines{from: &dribble{stream, step}, max: most}
		for {
			want, rest, found := bytes.Cut(stream, []byte{'\n'})
			got, err := l.next()
			switch {
			case len(want) > most:
				if err != errLongLine {
					t.Fatalf("a line of %d: %v", len(want), err)
				}
				return
			case !found:
				if err == nil {
					t.Fatalf("no line, got %q", got)
				}
				return
			case err != nil || !bytes.Equal(got, want):
				t.Fatalf("got %q, %v, want %q", got, err, want)
			case len(l.buf) > most+lineBuffer && len(l.buf) > lineBuffer:
				t.Fatalf("keeps %d bytes", len(l.buf))
			}
			stream = rest
		}
	})
}

// dribble gives at most step bytes at once.
type dribble struct {
	left []byte
	step int
}

func (d *dribble) Read(b []byte) (int, error) {
	if len(d.left) == 0 {
		return 0, os.ErrClosed
	}
	n := copy(b, d.left[:min(d.step, len(d.left))])
	d.left = d.left[n:]
	return n, nil
}
