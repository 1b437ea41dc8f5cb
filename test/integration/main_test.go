// Package integration tests the built programs as an operator uses them: a
// daemon, its socket, and real mini-programs in real workers.
package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// shared is one supervisor for the tests that do not end it.
var shared *daemon.Daemon

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Geteuid() != 0 {
		fmt.Println("integration tests need root: the launcher makes namespaces and control groups")
		return 1
	}
	var err error
	if shared, err = daemon.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

func example(name string) string { return filepath.Join(daemon.Root(), "examples", name) }

// start runs an example until the test ends.
func start(t *testing.T, name string) string {
	t.Helper()
	return startWith(t, name, nil)
}

// unhurried is a call limit for programs that are to live, however slow the
// machine: an emulated one takes seconds for what examples have one for.
var unhurried = durationpb.New(time.Minute)

// startWith is start with other limits than the manifest's.
func startWith(t *testing.T, name string, limits *controlpb.Limits) string {
	t.Helper()
	id, err := shared.Run(t.Context(), example(name), limits)
	if err != nil {
		t.Fatalf("cannot start %s: %v\n%s", name, err, shared.Log())
	}
	t.Cleanup(func() {
		shared.Client.Kill(context.Background(), &controlpb.KillRequest{Id: id})
	})
	return id
}

func call(ctx context.Context, id, name, input string) (*controlpb.CallResponse, error) {
	return shared.Client.Call(ctx, &controlpb.CallRequest{Id: id, Name: name, InputJson: input})
}

// ended waits for a program's end.
func ended(t *testing.T, id string) *controlpb.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	res, err := shared.Client.Wait(ctx, &controlpb.WaitRequest{Id: id})
	if err != nil {
		t.Fatalf("program %s does not end: %v", id, err)
	}
	return res.Exit
}
