package ipc

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRekeyTriggers(t *testing.T) {
	for name, l := range map[string]Limits{
		"count": {RekeyFrames: 10},
		"bytes": {RekeyBytes: 1000},
		"time":  {RekeyAfter: 1},
	} {
		t.Run(name, func(t *testing.T) {
			x, y := connect(t, config(true, handler{}, l), config(false, handler{}, Limits{}))
			for range 50 {
				if _, err := x.Call(t.Context(), pattern(100)); err != nil {
					t.Fatal(err)
				}
			}
			s := x.Stats()
			if s.RekeysOut < 4 || s.RekeysIn != 0 || y.Stats().RekeysIn != s.RekeysOut {
				t.Errorf("%d new keys sent, %d received: %d arrived", s.RekeysOut, s.RekeysIn, y.Stats().RekeysIn)
			}
		})
	}
	x, _ := connect(t, config(true, handler{}, Limits{}), config(false, handler{}, Limits{}))
	for range 50 {
		x.Call(t.Context(), pattern(100))
	}
	if n := x.Stats().RekeysOut; n != 0 {
		t.Errorf("%d new keys without a reason", n)
	}
}

// The peer, written from the specification, follows to every new key.
func TestRekeyAsSpecified(t *testing.T) {
	c, p := versus(t, false, handler{}, Limits{RekeyFrames: 2})
	for i := range uint64(20) {
		p.send(kindCall, i+1, "x")
		h, _ := p.receive()
		for h.kind == kindRekey {
			h, _ = p.receive()
		}
		if h.kind != kindReply || h.number != i+1 {
			t.Fatalf("reply %d is %+v", i, h)
		}
	}
	if n := c.Stats().RekeysOut; n < 9 {
		t.Errorf("%d new keys in 20 replies", n)
	}
}

func TestIdle(t *testing.T) {
	noLeaks(t)
	x, y := connect(t, config(true, nil, Limits{Idle: 100 * time.Millisecond}), config(false, nil, Limits{}))
	for range 20 {
		if err := y.Notify(t.Context(), nil); err != nil { // keeps it alive
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := ended(t, x); err != ErrIdle {
		t.Errorf("ended with %v", err)
	}
}

// A peer that takes nothing is given up; meanwhile calls end when their
// contexts do, and Close does not wait long.
func TestStall(t *testing.T) {
	noLeaks(t)
	c, p := versus(t, true, nil, Limits{Stall: 300 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Call(ctx, pattern(2<<20)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call: %v", err)
	}
	if err := c.Notify(t.Context(), pattern(1<<20)); !errors.Is(err, ErrStalled) {
		t.Errorf("the notification: %v", err)
	}
	if err := ended(t, c); err != ErrStalled {
		t.Errorf("ended with %v", err)
	}
	p.file.Close()
}

// A peer that is known to be stopped may take as long as it is: over a frame,
// and over what is sent to it. When it goes on, so does the channel; one that
// does not is given up.
func TestPaused(t *testing.T) {
	var paused atomic.Bool
	paused.Store(true)
	got := make(chan int, 2)
	limits := Limits{Frame: 50 * time.Millisecond, Stall: 50 * time.Millisecond}
	cfg := config(true, handler{notify: func(b []byte) { got <- len(b) }}, limits)
	cfg.Paused = paused.Load
	c, p, err := encounter(t, cfg, func(p *peer) { p.handshake(secret[:], prologue) })
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- c.Notify(t.Context(), pattern(2<<20)) }()
	frame := p.frame(part1(kindNotify, 1, 50), make([]byte, 50))
	p.write(frame[:40])
	time.Sleep(10 * limits.Frame)
	select {
	case <-c.Done():
		t.Fatalf("ended with %v", c.Err())
	default:
	}
	paused.Store(false)
	p.write(frame[40:])
	for n := 0; n < 2<<20; {
		_, b := p.receive()
		n += len(b)
	}
	if n, err := <-got, <-sent; n != 50 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	p.write(p.frame(part1(kindNotify, 2, 50), make([]byte, 50))[:40])
	var broken *ProtocolError
	if err := ended(t, c); !errors.As(err, &broken) || broken.Rule != RuleDeadline {
		t.Errorf("ended with %v", err)
	}
}

func TestCloseDoesNotWaitForAStalledPeer(t *testing.T) {
	c, _ := versus(t, true, nil, Limits{Stall: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c.Call(ctx, pattern(2<<20))
	c.Close()
	if c.Err() != ErrClosed {
		t.Errorf("ended with %v", c.Err())
	}
}

// Who waits for credit gets it in order, gives up with its context, and loses
// nothing by that.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10)
		never := make(chan struct{})
		served := make(chan int, 9) // in order
		var order []int
		look := func() []int {
			synctest.Wait()
			for len(served) > 0 {
				order = append(order, <-served)
			}
			return order
		}
		take := func(name, n int, patience time.Duration) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if b.take(ctx, never, n) == nil {
					served <- name
				}
			}()
			synctest.Wait()
		}
		take(1, 8, time.Hour)
		take(2, 5, time.Second) // too much for now: it waits, and gives up
		take(3, 2, time.Hour)   // fits, but may not pass the one before it
		take(4, 4, time.Hour)
		if len(look()) != 1 {
			t.Errorf("served: %v", order)
		}
		time.Sleep(2 * time.Second)
		if len(look()) != 2 || order[1] != 3 {
			t.Errorf("after one gave up: %v", order)
		}
		b.grant(8)
		if len(look()) != 3 || b.left != 4 || len(b.waiters) != 0 {
			t.Errorf("in the end: %v, %d left", order, b.left)
		}
		if b.grant(7) || !b.grant(6) {
			t.Error("a grant beyond the limit is taken, or one within it is not")
		}
	})
}

func TestBudgetEndsWithTheConnection(t *testing.T) {
	ended := make(chan struct{})
	b := newBudget(1)
	time.AfterFunc(time.Millisecond, func() { close(ended) })
	if err := b.take(t.Context(), ended, 2); err == nil {
		t.Error("served")
	}
	if b.left != 1 || len(b.waiters) != 0 {
		t.Errorf("%d left, %d waiting", b.left, len(b.waiters))
	}
}
