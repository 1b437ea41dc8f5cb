package ipctest_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/ipc"
	"github.com/mpsupervisor/mpsupervisor/ipc/ipctest"
)

// No program may link the plain cipher. The control: this test's own package
// is found when it is asked for.
func TestNoProgramLinksIt(t *testing.T) {
	if deps := deps(t, "."); !strings.Contains(deps, "/ipc/ipctest\n") {
		t.Fatalf("go list does not find the package itself: %s", deps)
	}
	if deps := deps(t, "../../cmd/..."); strings.Contains(deps, "/ipc/ipctest\n") {
		t.Error("a program under cmd links ipc/ipctest")
	}
}

func deps(t *testing.T, pattern string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-buildvcs=false", "-deps", "-e", pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A plain end meets a plain end, and no other.
func TestPlainMeetsOnlyPlain(t *testing.T) {
	if _, errA, errB := pair(t, true, true); errA != nil || errB != nil {
		t.Errorf("plain with plain: %v, %v", errA, errB)
	}
	for _, plainFirst := range []bool{true, false} {
		name, _, errB := pair(t, plainFirst, !plainFirst)
		var broken *ipc.ProtocolError
		if !errors.As(errB, &broken) || broken.Rule != ipc.RuleHandshake {
			t.Errorf("plain initiator %v: responder's error is %v (%s)", plainFirst, errB, name)
		}
	}
}

func pair(t *testing.T, plainA, plainB bool) (name string, errA, errB error) {
	t.Helper()
	fa, fb, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	pick := func(plain bool) func(context.Context, *ipc.Config) (*ipc.Conn, error) {
		return func(ctx context.Context, cfg *ipc.Config) (*ipc.Conn, error) {
			f := fb
			if cfg.Initiator {
				f = fa
			}
			if plain {
				return ipctest.NewPlain(ctx, f, *cfg)
			}
			return ipc.New(ctx, f, *cfg)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var b *ipc.Conn
		if b, errB = pick(plainB)(context.Background(), &ipc.Config{}); errB == nil {
			<-b.Done()
		}
	}()
	a, errA := pick(plainA)(context.Background(), &ipc.Config{Initiator: true})
	if errA == nil {
		name = a.HandshakeName()
		a.Close()
	}
	<-done
	return name, errA, errB
}
