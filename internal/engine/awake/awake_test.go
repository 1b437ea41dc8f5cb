package awake

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	var d Deadline
	if _, set := d.Left(start); set {
		t.Error("a deadline that nobody set")
	}
	d.Set(start, 2*time.Second)
	look := func(when, want time.Duration) {
		t.Helper()
		if left, set := d.Left(at(when)); !set || left != want {
			t.Errorf("at %v there are %v left, want %v", when, left, want)
		}
	}
	look(Nap, 2*time.Second-Nap)
	look(time.Second, time.Second) // a little late
	// Stopped for an hour: of that a nap counts.
	look(time.Second+time.Hour, time.Second-Nap)
	look(time.Second+time.Hour+Nap, time.Second-2*Nap)
	look(time.Second+time.Hour+time.Second, 0)
	d.Clear()
	if _, set := d.Left(at(time.Minute)); set {
		t.Error("a deadline that was cleared")
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := Timeout(context.Background(), 3*time.Second)
		defer cancel()
		<-ctx.Done()
		if took := time.Since(began); took != 3*time.Second || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, context.Cause(ctx))
		}
		ctx, cancel = Timeout(context.Background(), time.Hour)
		cancel()
		<-ctx.Done()
		if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	})
}
