package native

import (
	"context"
	"errors"
	"fmt"
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
