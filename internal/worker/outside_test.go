package worker_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// A program of the real worker asks, and is told of events.
func TestAskAndEvent(t *testing.T) {
	h := start(t, `
		export const echo = (x) => mp.request("echo", x);
		export const failing = () => mp.request("nosuch").catch((e) => [e.name, e.code, e.message]);`)
	for _, c := range []struct{ name, input, want string }{
		{"echo", `{"a":[1,"é"]}`, `{"a":[1,"é"]}`},
		{"failing", ``, `["NotFoundError","not_found","no nosuch"]`},
	} {
		if got, err := h.call(c.name, c.input); err != nil || string(got.Output) != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	h.event(wire.Event{Type: mp.EventShown})
}

// A native program is told of events on its descriptor.
func TestNativeEvent(t *testing.T) {
	h := shell(t, `while read -r line; do echo "$line"; done <&3`)
	h.event(wire.Event{Type: mp.EventShown, Page: "p", Detail: []byte("{\n}")})
	h.event(wire.Event{Type: mp.EventUnloaded})
	h.waitLog(`info {"jsonrpc":"2.0","method":"event","params":{"type":"shown","page":"p","detail":{}}}`)
	h.waitLog(`info {"jsonrpc":"2.0","method":"event","params":{"type":"unloaded"}}`)
}

func (h *host) event(e wire.Event) (done wire.EventDone) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.request(ctx, wire.MethodEvent, &e, &done); err != nil {
		h.t.Fatal(err)
	}
	return done
}

// BenchmarkAsk is a request of the program's, one after the other.
func BenchmarkAsk(b *testing.B) {
	h := start(b, `export const f = async (n) => { for (let i = 0; i < n; i++) await mp.request("echo", i); };`)
	b.ResetTimer()
	for left := b.N; left > 0; left -= 1000 { // a call has its time limit
		if _, err := h.call("f", strconv.Itoa(min(left, 1000))); err != nil {
			b.Fatal(err)
		}
	}
}
