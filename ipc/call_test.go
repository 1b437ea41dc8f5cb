package ipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCancelReachesTheHandler(t *testing.T) {
	noLeaks(t)
	began, stopped := make(chan struct{}), make(chan error, 1)
	h := handler{call: func(ctx context.Context, _ []byte, _ []*os.File) ([]byte, error) {
		close(began)
		<-ctx.Done()
		stopped <- ctx.Err()
		return []byte("late"), nil
	}}
	x, y := connect(t, config(true, nil, Limits{}), config(false, h, Limits{}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if _, err := x.Call(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	if err := <-stopped; err != context.Canceled {
		t.Errorf("the handler's context: %v", err)
	}
	settle(t, func() bool { return x.Stats().InFlightOut == 0 && y.Stats().InFlightIn == 0 })
	if x.Err() != nil || y.Err() != nil {
		t.Errorf("the late reply ended the connection: %v, %v", x.Err(), y.Err())
	}
}

// settle waits for what comes about by itself.
func settle(t *testing.T, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("it does not settle")
}

// A cancelled call stays in flight until its one reply, which is dropped; a
// second reply breaks the rule.
func TestLateReply(t *testing.T) {
	c, p := versus(t, true, nil, Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := c.Call(ctx, []byte("x")); done <- err }()
	p.receive()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if h, _ := p.receive(); h.kind != kindCancel || h.number != 1 {
		t.Errorf("got %+v, want the cancellation", h)
	}
	if n := c.Stats().InFlightOut; n != 1 {
		t.Errorf("%d calls in flight before the reply", n)
	}
	p.send(kindReply, 1, "late")
	settle(t, func() bool { return c.Stats().InFlightOut == 0 })
	if c.Err() != nil {
		t.Errorf("the late reply ended the connection: %v", c.Err())
	}
	p.send(kindReply, 1, "again")
	if rule := brokenRule(ended(t, c)); rule != RuleReply {
		t.Errorf("a second reply: %v", c.Err())
	}
}

// A call that is given up half sent is cancelled, answered, and forgotten.
func TestCancelOfHalfACall(t *testing.T) {
	c, p := versus(t, false, handler{}, Limits{})
	p.put(part1(kindCall, 1, 100), 10)
	p.put(header{kind: kindCancel, number: 1}, 0)
	if h, _ := p.receive(); h.kind != kindError || h.number != 1 {
		t.Errorf("got %+v, want an error", h)
	}
	p.send(kindCall, 2, "next")
	if h, body := p.receive(); h.kind != kindReply || string(body) != "next" {
		t.Errorf("got %+v %q", h, body)
	}
	if s := c.Stats(); s.InFlightIn != 0 {
		t.Errorf("%d calls in flight", s.InFlightIn)
	}
}

func TestCallsBeyondTheCapWait(t *testing.T) {
	noLeaks(t)
	var running, most atomic.Int32
	release := make(chan struct{})
	h := handler{call: func(context.Context, []byte, []*os.File) ([]byte, error) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		running.Add(-1)
		return nil, nil
	}}
	x, y := connect(t, config(true, nil, Limits{}), config(false, h, Limits{Calls: 3}))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := x.Call(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	settle(t, func() bool { return running.Load() == 3 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := x.Call(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the fourth call: %v", err)
	}
	close(release)
	wg.Wait()
	if most.Load() != 3 || y.Err() != nil {
		t.Errorf("%d ran at once, %v", most.Load(), y.Err())
	}
}

// Large calls beyond the window wait, and all get through.
func TestWindowIsRespected(t *testing.T) {
	noLeaks(t)
	x, y := connect(t,
		config(true, handler{}, Limits{Message: 100000, Window: 200000}),
		config(false, handler{}, Limits{Message: 100000, Window: 200000}))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			c, body := x, pattern(100000-i*1000)
			if i%2 == 0 {
				c = y
			}
			for range 5 {
				if got, err := c.Call(t.Context(), body); err != nil || !bytes.Equal(got, body) {
					t.Errorf("%d bytes: %d came back, %v", len(body), len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

// Four goroutines an end, calls and notifications of many sizes, new keys all
// the while: a nonce used twice, or out of order, would not authenticate.
func TestHammer(t *testing.T) {
	noLeaks(t)
	often := Limits{RekeyFrames: 7, Message: 200000}
	var got [2]atomic.Uint64
	h := func(i int) Handler {
		return handler{notify: func(b []byte) { got[i].Add(uint64(len(b))) }}
	}
	x, y := connect(t, config(true, h(0), often), config(false, h(1), often))
	var wg sync.WaitGroup
	var sent [2]atomic.Uint64
	for g := range 8 {
		wg.Go(func() {
			c, to := x, 1
			if g%2 == 0 {
				c, to = y, 0
			}
			for i := range 300 {
				body := pattern((i * i * (g + 1)) % 60000)
				if i%3 == 0 {
					if err := c.Notify(t.Context(), body); err != nil {
						t.Error(err)
						return
					}
					sent[to].Add(uint64(len(body)))
				} else if reply, err := c.Call(t.Context(), body); err != nil || !bytes.Equal(reply, body) {
					t.Errorf("%d bytes: %d came back, %v", len(body), len(reply), err)
					return
				}
			}
		})
	}
	wg.Wait()
	settle(t, func() bool { return got[0].Load() == sent[0].Load() && got[1].Load() == sent[1].Load() })
	if s := x.Stats(); s.RekeysIn == 0 || s.RekeysOut == 0 {
		t.Errorf("no new keys: %+v", s)
	}
}

// Calls that are given up at any moment disturb no other.
func TestCancelStorm(t *testing.T) {
	noLeaks(t)
	x, y := connect(t, config(true, handler{}, Limits{}), config(false, handler{}, Limits{Calls: 8}))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*g)*time.Microsecond)
				x.Call(ctx, pattern(i*500))
				y.Notify(ctx, pattern(i*500))
				cancel()
				if got, err := y.Call(t.Context(), []byte{byte(i)}); err != nil || got[0] != byte(i) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	settle(t, func() bool { return x.Stats().InFlightOut == 0 })
	if x.Err() != nil || y.Err() != nil {
		t.Errorf("ended: %v, %v", x.Err(), y.Err())
	}
}

func TestFilesGoWithTheirCall(t *testing.T) {
	noLeaks(t)
	h := handler{call: func(_ context.Context, body []byte, files []*os.File) ([]byte, error) {
		var out []byte
		for _, f := range files {
			b, err := io.ReadAll(f)
			if err != nil {
				return nil, err
			}
			f.Close()
			out = append(out, b...)
		}
		return fmt.Appendf(out, " with %d", len(body)), nil
	}}
	x, y := connect(t, config(true, nil, Limits{}), config(false, h, Limits{}))
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() { callWithFiles(t, x, i%5, i*5000) })
	}
	wg.Wait()
	for _, err := range []error{
		callError(y.Call(t.Context(), nil, os.Stdin)),
		callError(x.Call(t.Context(), nil, os.Stdin, os.Stdin, os.Stdin, os.Stdin, os.Stdin)),
	} {
		if err == nil || x.Err() != nil {
			t.Errorf("got %v; the ends: %v, %v", err, x.Err(), y.Err())
		}
	}
}

func callError(_ []byte, err error) error { return err }

// callWithFiles sends n pipes that say who they are.
func callWithFiles(t *testing.T, c *Conn, n, size int) {
	var files []*os.File
	want := ""
	for i := range n {
		r, w, err := os.Pipe()
		if err != nil {
			t.Error(err)
			return
		}
		text := fmt.Sprintf("<%d of %d>", i, size)
		w.WriteString(text)
		w.Close()
		defer r.Close()
		files, want = append(files, r), want+text
	}
	got, err := c.Call(t.Context(), pattern(size), files...)
	if want += fmt.Sprintf(" with %d", size); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestEndOfConnection(t *testing.T) {
	noLeaks(t)
	began := make(chan struct{})
	stopped := make(chan struct{})
	h := handler{call: func(ctx context.Context, _ []byte, _ []*os.File) ([]byte, error) {
		close(began)
		<-ctx.Done()
		close(stopped)
		return nil, nil
	}}
	x, y := connect(t, config(true, nil, Limits{}), config(false, h, Limits{}))
	go func() { <-began; x.Close() }()
	if _, err := x.Call(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("the call: %v", err)
	}
	<-stopped
	if err := ended(t, y); err != io.EOF {
		t.Errorf("the other end: %v", err)
	}
	if err := y.Notify(t.Context(), nil); !errors.Is(err, io.EOF) {
		t.Errorf("a notification afterwards: %v", err)
	}
	if err := x.Close(); err != nil || x.Err() != ErrClosed {
		t.Errorf("closed again: %v, %v", err, x.Err())
	}
}

// What a peer said before it went is heard, even by one who finds out that it
// is gone while sending.
func TestLastWordsAreHeard(t *testing.T) {
	noLeaks(t)
	for range 20 {
		var last atomic.Uint64
		slow := handler{notify: func(b []byte) {
			time.Sleep(100 * time.Microsecond)
			last.Store(binary.BigEndian.Uint64(b))
		}}
		x, y := connect(t, config(true, slow, Limits{}), config(false, nil, Limits{}))
		for i := range uint64(20) {
			if err := y.Notify(t.Context(), binary.BigEndian.AppendUint64(nil, i+1)); err != nil {
				t.Fatal(err)
			}
		}
		y.Close()
		for x.Notify(t.Context(), []byte("are you there?")) == nil {
		}
		if err := ended(t, x); err != io.EOF || last.Load() != 20 {
			t.Fatalf("ended with %v after notification %d of 20", err, last.Load())
		}
	}
}

func TestPeerVanishes(t *testing.T) {
	c, p := versus(t, true, nil, Limits{})
	p.file.Close()
	if err := ended(t, c); err != io.ErrUnexpectedEOF {
		t.Errorf("ended with %v", err)
	}
}

// An end without a handler refuses calls and closes what they bring.
func TestNoHandler(t *testing.T) {
	noLeaks(t)
	x, _ := connect(t, config(true, nil, Limits{}), config(false, nil, Limits{}))
	_, err := x.Call(t.Context(), nil, os.Stdin)
	if remote := (*RemoteError)(nil); !errors.As(err, &remote) {
		t.Errorf("got %v", err)
	}
}
