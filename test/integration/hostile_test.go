package integration

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// neighbourCalls is how often a neighbour is called while the hostile program
// does its worst. All calls must be answered.
const neighbourCalls = 1000

// TestHostile runs each item of the hostile program's menu in a worker of its
// own and checks that it ends as the menu says, while a neighbour answers.
func TestHostile(t *testing.T) {
	items := menu(t)
	neighbour := start(t, "unit-converter")
	stop := make(chan struct{})
	var calls int
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() { calls, failed = keepCalling(t.Context(), neighbour, stop) })
	for _, it := range items {
		t.Run(it.Name, func(t *testing.T) { it.check(t) })
	}
	close(stop)
	wg.Wait()
	if failed != nil {
		t.Errorf("the neighbour failed at call %d: %v", calls, failed)
	}
}

// keepCalling calls the neighbour until stop is closed, but at least
// neighbourCalls times, or until a call fails.
func keepCalling(ctx context.Context, id string, stop <-chan struct{}) (int, error) {
	const question = `{"value": "1", "from": "km", "to": "m"}`
	for n := 1; ; n++ {
		res, err := call(ctx, id, "convert", question)
		if err != nil {
			return n, err
		}
		if thrown := res.GetThrown(); thrown != nil {
			return n, errors.New(thrown.Message)
		}
		select {
		case <-stop:
			if n >= neighbourCalls {
				return n, nil
			}
		default:
		}
	}
}

// item is a row of the menu.
type item struct{ Name, Does, Ends string }

func menu(t *testing.T) []item {
	t.Helper()
	res, err := call(t.Context(), start(t, "hostile"), "menu", "")
	if err != nil {
		t.Fatal(err)
	}
	var items []item
	if err := json.Unmarshal([]byte(res.GetOutputJson()), &items); err != nil {
		t.Fatal(err)
	}
	if len(items) < 20 {
		t.Fatalf("the menu has only %d items", len(items))
	}
	return items
}

// start starts the program. Where it is not the time that ends an item, there
// is enough of it, however busy the machine is.
func (it item) start(t *testing.T) string {
	t.Helper()
	if it.Ends == string(mp.CauseCallLimit) {
		return start(t, "hostile")
	}
	return startWith(t, "hostile", &controlpb.Limits{CallTimeout: durationpb.New(farAway)})
}

func (it item) check(t *testing.T) {
	id := it.start(t)
	res, err := call(t.Context(), id, it.Name, "")
	switch it.Ends {
	case "call limit", "memory limit", "exited":
		if err == nil {
			t.Errorf("the call gave %v", res)
		}
		if exit := ended(t, id); exit.Cause != it.Ends {
			t.Errorf("ended by %q (%s), want %q", exit.Cause, exit.Detail, it.Ends)
		}
		return
	case "throws":
		if err != nil || res.GetThrown() == nil {
			t.Errorf("got %v, %v, want what it threw", res, err)
		}
	case "too large":
		if !errors.Is(err, mp.ErrTooLarge) {
			t.Errorf("got %v, %v, want an error that says too large", res, err)
		}
	case "answers":
		if err != nil || res.GetThrown() != nil {
			t.Errorf("got %v, %v, want an answer", res.GetThrown(), err)
		}
	default:
		t.Errorf("the menu says %q", it.Ends)
	}
	if _, err := call(t.Context(), id, "menu", ""); err != nil {
		t.Errorf("the program does not go on: %v", err)
	}
}

// TestExitNow holds that a program's own code reaches whoever waits.
func TestExitNow(t *testing.T) {
	id := start(t, "hostile")
	call(t.Context(), id, "exitNow", "")
	exit := ended(t, id)
	if exit.Cause != string(mp.CauseExited) || exit.Code != 3 || exit.Status != 3 {
		t.Errorf("got %v", exit)
	}
}

// TestLogFlood holds that what is above the rate is counted.
func TestLogFlood(t *testing.T) {
	id := start(t, "hostile")
	if _, err := call(t.Context(), id, "logFlood", ""); err != nil {
		t.Fatal(err)
	}
	res, err := shared.Client.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Usage.LogLines + res.Usage.LogDropped; got < 20000 || res.Usage.LogLines > 2000 {
		t.Errorf("%d lines kept, %d dropped", res.Usage.LogLines, res.Usage.LogDropped)
	}
}
