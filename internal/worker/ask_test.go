package worker

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// answers is a supervisor that answers each request with its params, when it
// may.
type answers struct{ free chan struct{} }

func (a answers) Call(ctx context.Context, body []byte, _ ...*os.File) ([]byte, error) {
	select {
	case <-a.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	_, rest, err := wire.Split(body)
	if err != nil {
		return nil, err
	}
	var m wire.Ask
	if err := wire.Unmarshal(rest, &m); err != nil {
		return nil, err
	}
	if m.Method == "broken" {
		return []byte{0xff}, nil
	}
	return wire.MarshalReply(&wire.Answer{Result: m.Params})
}

func testAsker(t *testing.T, rate int) (a *asker, free chan struct{}) {
	free = make(chan struct{})
	a = newAsker(func(err error) { t.Error(err) })
	a.conn = answers{free}
	a.setRate(rate)
	return a, free
}

type outcome struct {
	result string
	err    error
}

func (a *asker) start(ctx context.Context, method, params string) <-chan outcome {
	c := make(chan outcome, 1)
	a.Ask(ctx, method, []byte(params), func(result []byte, err error) { c <- outcome{string(result), err} })
	return c
}

func code(err error) mp.AskCode {
	var ask *mp.AskError
	if errors.As(err, &ask) {
		return ask.Code
	}
	return ""
}

// So many requests are under way, and no more; each that ends makes room.
func TestAskMost(t *testing.T) {
	a, free := testAsker(t, 1000)
	var open []<-chan outcome
	for range wire.MaxAsks {
		open = append(open, a.start(t.Context(), "f", "1"))
	}
	if o := <-a.start(t.Context(), "f", "1"); code(o.err) != mp.AskQuota || !strings.Contains(o.err.Error(), "64") {
		t.Errorf("one above the limit: %v", o)
	}
	close(free)
	for _, c := range open {
		if o := <-c; o.result != "1" || o.err != nil {
			t.Errorf("got %v", o)
		}
	}
	if o := <-a.start(t.Context(), "f", "2"); o.result != "2" {
		t.Errorf("afterwards: %v", o)
	}
}

// Requests above the rate wait, large ones longer.
func TestAskRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, free := testAsker(t, 10)
		close(free)
		began := time.Now()
		for range 20 {
			<-a.start(t.Context(), "f", "1")
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("what two seconds allow took %v", d)
		}
		<-a.start(t.Context(), "f", "1")
		if d := time.Since(began); d != 100*time.Millisecond {
			t.Errorf("one more took %v", d)
		}
		<-a.start(t.Context(), "f", strings.Repeat(" ", 3*wire.AskUnit)+"1")
		if d := time.Since(began); d != 500*time.Millisecond {
			t.Errorf("a large one took %v altogether", d)
		}
	})
}

func TestAskRefused(t *testing.T) {
	a, _ := testAsker(t, 1)
	for range 2 {
		a.start(t.Context(), "f", "1") // waits for ever
	}
	ended, end := context.WithCancel(context.Background())
	end()
	none, _ := testAsker(t, 0)
	for name, test := range map[string]struct {
		c    <-chan outcome
		want mp.AskCode
	}{
		"no method":      {a.start(t.Context(), "", "1"), mp.AskParams},
		"long method":    {a.start(t.Context(), strings.Repeat("x", wire.MaxName+1), "1"), mp.AskParams},
		"large params":   {a.start(t.Context(), "f", strings.Repeat("1", wire.MaxParams+1)), mp.AskTooLarge},
		"while it waits": {a.start(ended, "f", "1"), mp.AskAborted},
		"no rate":        {none.start(t.Context(), "f", "1"), mp.AskQuota},
	} {
		if o := <-test.c; code(o.err) != test.want {
			t.Errorf("%s: %v", name, o)
		}
	}
}
