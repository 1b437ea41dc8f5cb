package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb/controlpbconnect"
)

// A supervisor that is stopped still has its socket: connecting works, and
// nothing is ever said.
func TestPatience(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := Dial(socket)
	defer c.Close()
	asking := controlpbconnect.NewControlClient(&http.Client{Transport: c.transport}, "http://mpsupervisor",
		connect.WithInterceptors(patience(20*time.Millisecond), translate(decode)))
	if _, err := asking.List(t.Context(), &controlpb.ListRequest{}); !errors.Is(err, ErrSilent) {
		t.Errorf("List gives %v, want %v", err, ErrSilent)
	}
	// A caller's own end is not the supervisor's silence, and a call that does
	// not only ask is not cut short.
	ended, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := asking.Wait(ended, &controlpb.WaitRequest{}); errors.Is(err, ErrSilent) || err == nil {
		t.Errorf("Wait gives %v", err)
	}
	if ended.Err() == nil {
		t.Error("Wait did not wait")
	}
}
