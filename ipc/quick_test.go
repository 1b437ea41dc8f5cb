package ipc

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

// quick is a Receiver: what begins with "later" is answered so, "no" by an error.
type quick struct {
	handler
	free chan struct{} // later answers wait for it
}

func (q quick) ReceiveCall(body []byte) ([]byte, func(context.Context) ([]byte, error), error) {
	switch {
	case bytes.HasPrefix(body, []byte("later")):
		return nil, func(ctx context.Context) ([]byte, error) {
			select {
			case <-q.free:
				return body, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, nil
	case bytes.HasPrefix(body, []byte("no")):
		return nil, nil, errors.New("no")
	}
	return body, nil, nil
}

func TestReceiver(t *testing.T) {
	noLeaks(t)
	free := make(chan struct{})
	x, y := connect(t, config(true, quick{free: free}, Limits{}), config(false, nil, Limits{}))
	late := make(chan string, 1)
	go func() {
		b, err := y.Call(t.Context(), []byte("later"))
		late <- string(b)
		if err != nil {
			t.Error(err)
		}
	}()
	var all sync.WaitGroup
	for _, n := range []int{0, 1, fragment, fragment + 1, 1 << 20} {
		all.Go(func() {
			body := bytes.Repeat([]byte("x"), n)
			for range 20 {
				if b, err := y.Call(t.Context(), body); err != nil || !bytes.Equal(b, body) {
					t.Errorf("%d bytes: %d came back, %v", n, len(b), err)
				}
			}
		})
	}
	all.Wait()
	remote := (*RemoteError)(nil)
	if _, err := y.Call(t.Context(), []byte("no")); !errors.As(err, &remote) || !strings.Contains(err.Error(), "no") {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := y.Call(ctx, []byte("later, and given up")); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	close(free)
	if got := <-late; got != "later" {
		t.Errorf("got %q", got)
	}
	settle(t, func() bool { return x.Stats().InFlightIn == 0 && y.Stats().InFlightOut == 0 })
	x.Close()
	y.Close()
}

// A call with descriptors goes to HandleCall.
func TestReceiverOfDescriptors(t *testing.T) {
	got := make(chan int, 1)
	h := quick{handler: handler{call: func(_ context.Context, body []byte, files []*os.File) ([]byte, error) {
		got <- len(files)
		closeFiles(files)
		return body, nil
	}}}
	x, _ := connect(t, config(true, nil, Limits{}), config(false, h, Limits{}))
	if _, err := x.Call(t.Context(), []byte("f"), os.Stdin); err != nil || <-got != 1 {
		t.Error(err)
	}
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// A peer that takes no answers, and gives no credit for them, holds up none of
// what it sends: the reading goes on.
func TestReceiverIsNotHeldUp(t *testing.T) {
	noLeaks(t)
	seen := make(chan string, 1)
	c, p := versus(t, true, quick{handler: handler{notify: func(b []byte) { seen <- string(b) }}}, Limits{Window: 4 << 20})
	big := strings.Repeat("x", 60_000)
	for n := range 60 { // their answers fill the socket, and no window is given back
		p.send(kindCall, uint64(n+1), big)
	}
	p.send(kindNotify, 61, "still there")
	if got := <-seen; got != "still there" {
		t.Errorf("got %q", got)
	}
	c.Close()
}
