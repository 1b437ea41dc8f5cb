package ipctest

import (
	"context"
	"os"

	"github.com/mpsupervisor/mpsupervisor/ipc"
)

// Arm is one of the two ways to open a channel that a benchmark compares.
type Arm string

// The arms.
const (
	Encrypted Arm = "encrypted"
	Plain     Arm = "plain"
)

// Open opens one end of a channel in the given way.
func (a Arm) Open(ctx context.Context, f *os.File, cfg ipc.Config) (*ipc.Conn, error) {
	if a == Plain {
		return NewPlain(ctx, f, cfg)
	}
	return ipc.New(ctx, f, cfg)
}

// Echo is the responder of a benchmark, best in a process of its own: it
// answers each call with the call's body until the initiator closes. It
// returns why the connection ended.
func (a Arm) Echo(ctx context.Context, f *os.File) error {
	c, err := a.Open(ctx, f, ipc.Config{Handler: echo{}})
	if err != nil {
		return err
	}
	<-c.Done()
	return c.Err()
}

type echo struct{}

func (echo) HandleCall(_ context.Context, body []byte, _ []*os.File) ([]byte, error) {
	return body, nil
}

func (echo) HandleNotify([]byte) {}
