package ipc

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// handler is a Handler made of functions.
type handler struct {
	call   func(ctx context.Context, body []byte, files []*os.File) ([]byte, error)
	notify func(body []byte)
}

func (h handler) HandleCall(ctx context.Context, body []byte, files []*os.File) ([]byte, error) {
	if h.call == nil {
		return body, nil
	}
	return h.call(ctx, body, files)
}

func (h handler) HandleNotify(body []byte) {
	if h.notify != nil {
		h.notify(body)
	}
}

// stuck is a handler that waits for its context.
func stuck(ctx context.Context, _ []byte, _ []*os.File) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// connect opens both ends of a channel: the supervisor's and the worker's.
func connect(t testing.TB, a, b Config) (*Conn, *Conn) {
	t.Helper()
	x, y, errX, errY := tryConnect(t, a, b)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	t.Cleanup(func() { x.Close(); y.Close() })
	return x, y
}

func tryConnect(t testing.TB, a, b Config) (x, y *Conn, errX, errY error) {
	t.Helper()
	ours, theirs, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { y, errY = New(context.Background(), theirs, b) })
	x, errX = New(context.Background(), ours, a)
	wg.Wait()
	return x, y, errX, errY
}

// noLeaks fails the test if goroutines or descriptors are left at its end.
func noLeaks(t *testing.T) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFDs(t)
	t.Cleanup(func() {
		for range 200 { // what has ended may still be on its way out
			if runtime.NumGoroutine() <= goroutines && len(openFDs(t)) <= len(files) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		stacks := make([]byte, 64<<10)
		stacks = stacks[:runtime.Stack(stacks, true)]
		t.Errorf("goroutines: %d before, %d after; descriptors before %v, after %v\n%s",
			goroutines, runtime.NumGoroutine(), files, openFDs(t), stacks)
	})
}

// openFDs names this process's descriptors, but for the one that reads them.
func openFDs(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasSuffix(to, "/fd") {
			out = append(out, e.Name()+" "+to)
		}
	}
	return out
}

// The leak check finds a leak: its control.
func TestLeaksAreSeen(t *testing.T) {
	before := len(openFDs(t))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if after := len(openFDs(t)); after != before+2 {
		t.Errorf("%d descriptors, then %d with a pipe open", before, after)
	}
}

// brokenRule is the rule that an error names, or "".
func brokenRule(err error) Rule {
	if e := (*ProtocolError)(nil); errors.As(err, &e) {
		return e.Rule
	}
	return ""
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestCallsOfAllSizesBothWays(t *testing.T) {
	noLeaks(t)
	x, y := connect(t, config(true, handler{}, Limits{}), config(false, handler{}, Limits{}))
	for _, n := range []int{0, 1, 128, fragment - 1, fragment, fragment + 1, maxRecord, 1 << 20, 2 << 20} {
		for _, c := range []*Conn{x, y} {
			body := pattern(n)
			got, err := c.Call(t.Context(), body)
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
			}
		}
	}
}

func TestNotificationsKeepTheirOrder(t *testing.T) {
	noLeaks(t)
	sizes := []int{1, 2, fragment + 1, 3, 0, 1 << 20, 4}
	got := make(chan int, len(sizes))
	x, y := connect(t,
		config(true, handler{notify: func(b []byte) { got <- len(b) }}, Limits{}), config(false, nil, Limits{}))
	for _, n := range sizes {
		if err := y.Notify(t.Context(), pattern(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range sizes {
		if m := <-got; m != n {
			t.Errorf("got a notification of %d bytes, want %d", m, n)
		}
	}
	if s := x.Stats(); s.NotifiesIn != uint64(len(sizes)) {
		t.Errorf("counted %d notifications", s.NotifiesIn)
	}
}

func TestErrorsTravelAsText(t *testing.T) {
	long := strings.Repeat("x", 2*maxError)
	h := handler{call: func(_ context.Context, body []byte, _ []*os.File) ([]byte, error) {
		return nil, errors.New(string(body))
	}}
	x, _ := connect(t, config(true, nil, Limits{}), config(false, h, Limits{}))
	for text, want := range map[string]string{"no": "no", "": "", long: long[:maxError], "\xff": "\uFFFD"} {
		_, err := x.Call(t.Context(), []byte(text))
		var remote *RemoteError
		if !errors.As(err, &remote) || remote.Text != want {
			t.Errorf("error of %d bytes arrives as %T %.20v", len(text), err, err)
		}
	}
}

func TestTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	big := handler{call: func(context.Context, []byte, []*os.File) ([]byte, error) { return make([]byte, 1001), nil }}
	x, y := connect(t, config(true, nil, Limits{Message: 1000}), config(false, big, Limits{Message: 2000}))
	if _, err := x.Call(t.Context(), make([]byte, 2001)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("call: %v", err)
	}
	if err := y.Notify(t.Context(), make([]byte, 1001)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("notification: %v", err)
	}
	_, err := x.Call(t.Context(), make([]byte, 2000))
	if remote := (*RemoteError)(nil); !errors.As(err, &remote) || !strings.Contains(remote.Text, ErrTooLarge.Error()) {
		t.Errorf("reply: %v", err)
	}
	if x.Err() != nil || y.Err() != nil {
		t.Errorf("the connection ended: %v, %v", x.Err(), y.Err())
	}
}
