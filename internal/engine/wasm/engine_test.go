package wasm

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// A command finds of WASI what docs/wasm.md says, and its status is kept.
func TestCommand(t *testing.T) {
	p := program(command(t), map[string]string{"data/greeting.txt": "hello"})
	r, err := load(t, p, Own{Args: []string{"one", "two"}})
	var exit *engine.Exit
	if !errors.As(err, &exit) || exit.Cause != mp.CauseExited || exit.Code != 7 {
		t.Fatalf("ended with %v", err)
	}
	want := `info args true [one two]
info env 0
info stdin 0 <nil>
info package hello <nil>
info write true true true
info list app.wasm,data greeting.txt
info tmp hello world b,g
info full true
info clock true true
info dial true
info random true
error last words`
	if got := r.logs.String(); got != want {
		t.Errorf("logged:\n%s\nwant:\n%s", got, want)
	}
	if _, err := r.call("anything", ""); !errors.As(err, &exit) {
		t.Errorf("a call afterwards: %v", err)
	}
}

func TestReactor(t *testing.T) {
	r := start(t, program(reactor(t), nil), Own{})
	want := []string{"ask", "count", "echo", "panics", "say", "upper"}
	if !slices.Equal(r.exports, want) {
		t.Errorf("exports %v, want %v", r.exports, want)
	}
	for _, c := range []struct{ name, input, want, err string }{
		{"count", "", "1", ""},
		{"count", "null", "2", ""},
		{"echo", `{"a": [1, "é"]}`, `{"a": [1, "é"]}`, ""},
		{"upper", `{"text":"grüße"}`, `"GRÜSSE"`, ""},
		{"upper", `[]`, "", "Error: json: cannot unmarshal"},
		{"ask", `{"method":"log","params":{"level":"info","text":"x"}}`, `{"answer":null,"ok":true}`, ""},
		{"ask", `{"method":"echo","params":[1,2]}`, `{"answer":[1,2],"ok":true}`, ""},
		{"ask", `{"method":"nothing"}`, `{"answer":{"code":"not_found","message":"no method \"nothing\""},"ok":false}`, ""},
		{"missing", "", "", "not found"},
		{"_initialize", "", "", "not found"},
		{"echo", `{`, "", "SyntaxError: the input is not JSON"},
	} {
		got, err := r.call(c.name, c.input)
		if c.name == "upper" {
			got = strings.ReplaceAll(got, "ß", "SS") // strings.ToUpper keeps it
		}
		if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s(%s) = %s, %v; want %s, %s", c.name, c.input, got, err, c.want, c.err)
		}
	}
	if _, err := r.call("say", ""); err != nil {
		t.Error(err)
	}
	if got, want := r.logs.String(), "info x\nwarn hello ✓\ninfo on stdout\nerror no newline"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// A panic of Go's is a trap, and what it printed is logged.
func TestPanic(t *testing.T) {
	r := start(t, program(reactor(t), nil), Own{})
	var threw *mp.GuestError
	if _, err := r.call("panics", ""); !errors.As(err, &threw) || threw.Name != "RuntimeError" || !strings.Contains(threw.Stack, "    at .") {
		t.Errorf("got %#v", threw)
	}
	if !strings.Contains(r.logs.String(), "deliberate") {
		t.Errorf("logged %s", r.logs)
	}
}

func TestEvents(t *testing.T) {
	saved := func(r *rig, ev engine.Event) (string, error) {
		type answer struct {
			b   []byte
			err error
		}
		c := make(chan answer, 1)
		r.Event(context.Background(), ev, func(b []byte, err error) { c <- answer{b, err} })
		a := <-c
		return string(a.b), a.err
	}
	with := start(t, program(reactor(t), nil), Own{})
	got, err := saved(with, engine.Event{Type: mp.EventShown, Page: "pages/a", Detail: []byte(`{"x":1}`)})
	if want := `{"type":"shown","page":"pages/a","detail":{"x":1}}`; got != want || err != nil {
		t.Errorf("saved %s, %v; want %s", got, err, want)
	}
	without := start(t, program(module{funcs: []function{{export: "f"}}}.assemble(), nil), Own{})
	if got, err := saved(without, engine.Event{Type: mp.EventHidden}); got != "" || err != nil {
		t.Errorf("without a function for it: %s, %v", got, err)
	}
	failing := start(t, program(module{funcs: []function{{export: "mp_event", body: opUnreachable}}}.assemble(), nil), Own{})
	if got, err := saved(failing, engine.Event{Type: mp.EventHidden}); got != "" || err != nil || !strings.Contains(failing.logs.String(), "mp_event failed") {
		t.Errorf("with one that fails: %s, %v, logged %s", got, err, failing.logs)
	}
}

// Random numbers come from the seed: the same for the same, others for another.
func TestSeed(t *testing.T) {
	random := module{
		imports: []imported{{"mp", "output", []byte{tI32, tI32}, nil}, {"wasi_snapshot_preview1", "random_get", []byte{tI32, tI32}, []byte{tI32}}},
		// 8 random bytes at 16, of which one digit goes out.
		funcs: []function{{export: "f", results: []byte{tI32}, body: code(constant(16), constant(8), invoke(1), opDrop,
			constant(16), []byte{0x28, 2, 0}, constant(0xffffff), []byte{0x71})}},
		pages: 1,
	}.assemble()
	var seen []string
	for _, seed := range []byte{1, 1, 2} {
		p := program(random, nil)
		p.Seed = [32]byte{seed}
		_, err := start(t, p, Own{}).call("f", "")
		seen = append(seen, err.Error())
	}
	if seen[0] != seen[1] || seen[0] == seen[2] {
		t.Errorf("got %v", seen)
	}
}

// A call that its caller gives up ends for the caller at once; the next one waits
// for the guest.
func TestCancelled(t *testing.T) {
	p := program(sleeper(50*time.Millisecond), nil)
	r := start(t, p, Own{})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	if _, err := r.callWith(ctx, "sleep", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got, err := r.call("nothing", ""); got != "null" || err != nil {
		t.Errorf("the next one: %s, %v", got, err)
	}
}

// sleeper is a module that sleeps by poll_oneoff.
func sleeper(d time.Duration) []byte {
	subscription := make([]byte, 48) // userdata, tag 0 (clock), clock 1 (monotonic), timeout, precision, flags
	subscription[16] = 1
	for i := range 8 {
		subscription[24+i] = byte(uint64(d) >> (8 * i))
	}
	return module{
		imports: []imported{{"wasi_snapshot_preview1", "poll_oneoff", []byte{tI32, tI32, tI32, tI32}, []byte{tI32}}},
		funcs: []function{
			{export: "sleep", results: []byte{tI32}, body: code(constant(0), constant(64), constant(1), constant(128), invoke(0))},
			{export: "nothing"},
		},
		pages: 1, data: string(subscription),
	}.assemble()
}
