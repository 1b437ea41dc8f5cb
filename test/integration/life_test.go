package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// startLife runs the program that tells of its life.
func startLife(t *testing.T) string {
	t.Helper()
	id, err := shared.Run(t.Context(), filepath.Join(daemon.Root(), "test", "integration", "testdata", "life"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.Client.Kill(context.Background(), &controlpb.KillRequest{Id: id, Now: true}) })
	return id
}

// result calls a function and decodes what it returns.
func result(t *testing.T, id, name, input string, v any) {
	t.Helper()
	res, err := call(t.Context(), id, name, input)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if thrown := res.GetThrown(); thrown != nil {
		t.Fatalf("%s threw %s: %s\n%s", name, thrown.GetName(), thrown.GetMessage(), thrown.GetStack())
	}
	if err := json.Unmarshal([]byte(res.GetOutputJson()), v); err != nil {
		t.Fatal(err)
	}
}

// A program hears of its whole life, in order, and each step waits for what its
// handlers wait for.
func TestLife(t *testing.T) {
	id := startLife(t)
	var launched bool
	if result(t, id, "wasLaunched", "", &launched); !launched {
		t.Error("it was called before it heard that it is launched")
	}
	tell(t, "show", id, "--page", "pages/home")
	tell(t, "show", id, "--page", "pages/cart")
	tell(t, "hide", id)
	tell(t, "show", id)
	tell(t, "kill", id)
	want := strings.Fields(`program-launched program-shown
		pages/home-loaded pages/home-ready pages/home-shown
		pages/home-hidden pages/cart-loaded pages/cart-ready pages/cart-shown
		pages/cart-hidden program-hidden program-shown pages/cart-shown
		pages/cart-hidden program-hidden pages/home-unloaded pages/cart-unloaded program-unloaded`)
	var got []string
	for line := range strings.Lines(tell(t, "logs", id)) {
		words := strings.Fields(line)
		got = append(got, strings.Join(words[len(words)-2:], "-"))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it heard\n%s\nwant\n%s", got, want)
	}
}

func TestHostCalls(t *testing.T) {
	id := startLife(t)
	var app struct {
		ID, Name, Version, Instance string
		Started                     time.Time
	}
	result(t, id, "app", "", &app)
	if app.ID != "com.example.life" || app.Name != "Life" || app.Version != "1.2.3" || app.Instance != id || time.Since(app.Started) > time.Minute {
		t.Errorf("%+v", app)
	}
	var words []string
	if result(t, id, "ask", `"no such"`, &words); words[0] != "NotFoundError" || words[1] != "not_found" || !strings.Contains(words[2], `"no such"`) {
		t.Errorf("%q", words)
	}
}

// A program that asks as fast as it can is held to its rate, and is no offender.
func TestHostCallFlood(t *testing.T) {
	id, neighbour := startLife(t), startLife(t)
	var flood struct{ Answered, Refused int }
	began := time.Now()
	result(t, id, "flood", "3000", &flood)
	took := time.Since(began).Seconds()
	// Two seconds' worth at once, and the rate from then on.
	if most := 2000 * (2 + took + 0.5); float64(flood.Answered) > most || flood.Answered < 1000 || flood.Refused == 0 {
		t.Errorf("%+v in %.1f s", flood, took)
	}
	var launched bool
	result(t, id, "wasLaunched", "", &launched)
	result(t, neighbour, "wasLaunched", "", &launched)
}
