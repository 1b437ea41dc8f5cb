package ipc

import (
	"context"
	"os"
	"testing"
)

type echo struct{}

func (echo) HandleCall(_ context.Context, body []byte, files []*os.File) ([]byte, error) {
	return body, nil
}
func (echo) HandleNotify([]byte) {}

func benchPair(b testing.TB) (x, y *Conn) {
	fa, fb, err := Pair()
	if err != nil {
		b.Fatal(err)
	}
	ch := make(chan *Conn)
	go func() {
		c, err := New(context.Background(), fb, Config{Handler: echo{}})
		if err != nil {
			b.Error(err)
		}
		ch <- c
	}()
	x, err = New(context.Background(), fa, Config{Initiator: true, Handler: echo{}})
	if err != nil {
		b.Fatal(err)
	}
	return x, <-ch
}

func TestSmoke(t *testing.T) {
	x, y := benchPair(t)
	for _, n := range []int{0, 1, 100, 16384, 16385, 65536, 1 << 20, 2 << 20} {
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(i * 7)
		}
		got, err := x.Call(context.Background(), body)
		if err != nil || string(got) != string(body) {
			t.Fatal(n, len(got), err)
		}
		if err := y.Notify(context.Background(), body); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%+v", x.Stats())
	x.Close()
	<-y.Done()
	t.Log(x.Err(), y.Err())
}
