package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// ask makes a request as a worker does.
func ask(conn *ipc.Conn, method, params string) (*wire.Answer, error) {
	b, err := conn.Call(context.Background(), body(wire.MethodAsk, &wire.Ask{Method: method, Params: []byte(params)}))
	if err != nil {
		return nil, err
	}
	m := &wire.Answer{}
	return m, wire.Unmarshal(b, m)
}

func TestAsks(t *testing.T) {
	r := newRig(t)
	answers := make(chan *wire.Answer, 1)
	asks := func(method, params string) *wire.Answer {
		r.launcher.next(onCall(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			m, err := ask(conn, method, params)
			if err != nil {
				t.Errorf("%s: %v", method, err)
			}
			answers <- m
			return encoded(&wire.Reply{Output: []byte("1")})
		}))
		id := r.mustStart()
		if _, err := r.call(id, "f", ""); err != nil {
			t.Fatal(err)
		}
		return <-answers
	}
	var app App
	m := asks("app", "")
	if err := json.Unmarshal(m.Result, &app); err != nil {
		t.Fatalf("%s: %v", m.Result, err)
	}
	if app.ID != "com.example.one" || app.Name != "Test" || app.Version != "1.0" || !app.Instance.Valid() || time.Since(app.Started) > time.Hour {
		t.Errorf("app is %s", m.Result)
	}
	for _, name := range []string{"App", "no such method", strings.Repeat("x", wire.MaxName)} {
		m := asks(name, `{"a":1}`)
		if m.Error == nil || m.Error.Code != mp.AskNotFound || !strings.Contains(m.Error.Message, name) {
			t.Errorf("%.20s: %+v", name, m.Error)
		}
	}
}

// What a worker may not ask is its end, and leaves its neighbours alone.
func TestHostileAsks(t *testing.T) {
	call := func(b []byte) func(*ipc.Conn) {
		return func(conn *ipc.Conn) { conn.Call(context.Background(), b) }
	}
	flood := func(size int) func(*ipc.Conn) {
		return func(conn *ipc.Conn) {
			b := body(wire.MethodAsk, &wire.Ask{Method: "no", Params: make([]byte, size)})
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for conn.Err() == nil {
						conn.Call(context.Background(), b)
					}
				})
			}
			all.Wait()
		}
	}
	r := newRig(t)
	neighbour := r.mustStart()
	for name, do := range map[string]func(*ipc.Conn){
		"nothing":             call(nil),
		"another call":        call([]byte{byte(wire.MethodBoot), 0xa0}),
		"a notification":      call(logBody),
		"not CBOR":            call([]byte{byte(wire.MethodAsk), 0xff}),
		"no method":           call([]byte{byte(wire.MethodAsk), 0xa0}),
		"long method":         call(append([]byte{byte(wire.MethodAsk), 0xa1, 0x01, 0x79, 0x01, 0x01}, strings.Repeat("x", 257)...)),
		"flood":               flood(1),
		"flood of large ones": flood(wire.MaxParams),
	} {
		r.launcher.next(onCall(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
			do(conn)
			select {} // it is being ended
		}))
		id := r.mustStart()
		if _, err := r.call(id, "f", ""); !errors.Is(err, mp.ErrEnded) {
			t.Errorf("%s: %v", name, err)
		}
		if e := r.exit(id); e.Cause != mp.CauseProtocol {
			t.Errorf("%s: ended: %v", name, e)
		}
		r.alive(neighbour)
	}
}

// A worker that keeps to its rate is never taken for one that does not; requests
// that it gives up, and answers that nobody waits for, are no offence.
func TestManyAsks(t *testing.T) {
	r := newRig(t)
	r.launcher.next(onCall(func(_ *fakeWorker, conn *ipc.Conn) ([]byte, error) {
		for range 500 {
			ctx, cancel := context.WithCancel(context.Background())
			go cancel()
			conn.Call(ctx, body(wire.MethodAsk, &wire.Ask{Method: "app"}))
		}
		if _, err := ask(conn, "app", ""); err != nil {
			return nil, err
		}
		return encoded(&wire.Reply{Output: []byte("1")})
	}))
	id := r.mustStart()
	if _, err := r.call(id, "f", ""); err != nil {
		t.Fatal(err)
	}
}
