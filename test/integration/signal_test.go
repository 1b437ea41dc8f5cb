package integration

import (
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

func pid(t *testing.T, id string) int {
	t.Helper()
	res, err := shared.Client.Inspect(t.Context(), &controlpb.InspectRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	return int(res.Program.Pid)
}

// TestSignal ends a worker from the host, behind the supervisor's back.
func TestSignal(t *testing.T) {
	id := start(t, "unit-converter")
	if err := syscall.Kill(pid(t, id), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exit := ended(t, id)
	if exit.Cause != string(mp.CauseSignal) || exit.Signal != int32(syscall.SIGKILL) || exit.Status != 137 {
		t.Errorf("got %v", exit)
	}
}

// TestKill ends a program through the API, twice.
func TestKill(t *testing.T) {
	id := startWith(t, "unit-converter", &controlpb.Limits{CallTimeout: unhurried})
	for range 2 {
		res, err := shared.Client.Kill(t.Context(), &controlpb.KillRequest{Id: id})
		if err != nil {
			t.Fatal(err)
		}
		if res.Exit.Cause != string(mp.CauseKilled) || res.Exit.Status != 137 {
			t.Errorf("got %v", res.Exit)
		}
	}
}
