package native

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

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
		`{"jsonrpc":"2.0","id":7,"method":"echo","params":[1,"<é>"]}`:                `{"jsonrpc":"2.0","id":7,"result":[1,"<é>"]}`,
		`{"jsonrpc":"2.0","id":1,"method":"nosuch"}`:                                 `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no method \"nosuch\"","data":{"code":"not_found"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"log","params":{}}`:                        `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params of log: level and text are needed","data":{"code":"invalid_params"}}}`,
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
	b.waitFor(`info {"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"no method \"nosuch\"","data":{"code":"not_found"}}}`)
	if n := strings.Count(b.logs.String(), "\n"); n != 1 || !strings.HasPrefix(b.logs.String(), "warn w\n") {
		t.Errorf("%s", b.logs)
	}
}

// A program that asks faster than its rate waits. The bucket is full at first.
func TestRate(t *testing.T) {
	rate, now := newBucket(50), time.Now()
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
