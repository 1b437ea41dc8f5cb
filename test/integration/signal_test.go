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

// TestSignals ends workers by signals from the host.
func TestSignals(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		cause  mp.Cause
		status int32
	}{
		{syscall.SIGKILL, mp.CauseSignal, 137},
		{syscall.SIGSYS, mp.CauseSeccomp, 159},
	} {
		t.Run(test.signal.String(), func(t *testing.T) {
			id := start(t, "unit-converter")
			if err := syscall.Kill(pid(t, id), test.signal); err != nil {
				t.Fatal(err)
			}
			exit := ended(t, id)
			if exit.Cause != string(test.cause) || exit.Status != test.status {
				t.Errorf("got %v", exit)
			}
		})
	}
}

// TestKill ends a program through the API, twice.
func TestKill(t *testing.T) {
	id := start(t, "unit-converter")
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
